"""Figures and tables made from the evaluation table of a run."""
