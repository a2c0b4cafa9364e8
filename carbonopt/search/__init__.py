"""Searchers and the loop that runs them."""
