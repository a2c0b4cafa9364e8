"""Searches on more than one machine: designs sent to Dask, or a study shared in a database."""
