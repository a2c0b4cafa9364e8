"""Start a run in a process of its own, to be killed: killed_run.py DIR SEARCHER WORKERS."""

import sys

import toy

import carbonopt as co

if __name__ == "__main__":
    directory, searcher, workers = sys.argv[1:]
    problem = toy.large(evaluate_row=toy.slow)
    co.search(problem, searcher, 120, seed=4, run_dir=directory, workers=int(workers))
