"""Fronts: dominance, indicators and the choice of one design."""
