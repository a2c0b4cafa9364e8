"""Layers onto machines: unrolling, loop order, allocation, and the traffic they cause."""
