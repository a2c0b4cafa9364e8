"""Accelerators as data: technology, memories, arrays and the templates that combine them."""
