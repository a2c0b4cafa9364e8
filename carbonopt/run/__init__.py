"""Runs: a searcher on a problem, kept in a directory."""

from carbonopt.run.api import enumerate_all, evaluate, load_run, resume, run_dir_name, search
from carbonopt.run.study import load_study

__all__ = [
    "enumerate_all",
    "evaluate",
    "load_run",
    "load_study",
    "resume",
    "run_dir_name",
    "search",
]
