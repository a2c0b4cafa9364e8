"""Commands that read: how far runs are, their figures, and what ships with carbonopt."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from pathlib import Path

from carbonopt.cli_text import nothing_yet_text, say, say_json, summary, summary_lines


def status(options: Namespace) -> None:
    """Say how far a run is and what it has found."""
    from carbonopt.run import load_run
    from carbonopt.store import RunStore

    store = RunStore(options.run_dir)
    manifest, running = store.manifest(), store.is_running
    found = load_run(options.run_dir)
    if options.json:
        named = ("problem", "question", "searcher", "seed", "budget", "started", "finished")
        told = {name: manifest[name] for name in named}
        say_json({"run_dir": options.run_dir, **told, "running": running, **summary(found)})
        return
    say(
        f"{options.run_dir}: {manifest['problem']}, {manifest['searcher']}, seed {manifest['seed']}"
    )
    unfinished = "running" if running else "not finished"
    state = f"finished {manifest['finished']}" if manifest["finished"] else unfinished
    say(f"started {manifest['started']}, {state}, budget {manifest['budget']:,} designs")
    for line in summary_lines(found):
        say(line)
    if manifest["finished"] is None and not running:
        say(f"go on with: carbonopt resume {options.run_dir}")


def plot(options: Namespace) -> None:
    """Draw the figures of a run into its directory and name them."""
    from carbonopt.report.figures import plot_run
    from carbonopt.run import load_run

    found = load_run(options.run_dir)
    has_designs = len(found.evaluations) > 0
    paths = plot_run(found, Path(options.run_dir) / "figures") if has_designs else []
    if options.json:
        say_json({"figures": [str(path) for path in paths]})
        return
    if not has_designs:
        say(nothing_yet_text(options.run_dir))
    for path in paths:
        say(str(path))


def problems(options: Namespace) -> None:
    """List the shipped problems with their questions."""
    import yaml

    from carbonopt.catalog import find_problem, problem_names

    entries = []
    for name, file in ((name, find_problem(name)) for name in problem_names()):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        question = " ".join(content["question"].split())
        entries.append({"name": name, "question": question, "file": str(file)})
    if options.json:
        say_json(entries)
        return
    width = max((len(entry["name"]) for entry in entries), default=0)
    for entry in entries:
        say(f"{entry['name']:<{width}}  {entry['question']}")


def studies(options: Namespace) -> None:
    """List the shipped studies: question, how to run each, and what draws its figures."""
    from carbonopt.catalog import shipped_studies

    shipped = shipped_studies()
    entries = [
        {
            "name": study.name,
            "question": study.question,
            "run": f"carbonopt run {study.name}" if study.searched else None,
            "file": str(study.searched) if study.searched else None,
            "figures": str(study.drawn) if study.drawn else None,
        }
        for study in shipped
    ]
    if options.json:
        say_json(entries)
        return
    for study, entry in zip(shipped, entries, strict=True):
        drawn = shlex.join([sys.executable, str(study.drawn)]) if study.drawn else None
        commands = (each for each in (entry["run"], drawn) if each)
        say("\n    ".join([f"{study.name}: {study.question}", *commands]))


def metrics(options: Namespace) -> None:
    """List the metrics that objectives and limits can name: unit, meaning and reference."""
    from carbonopt.objectives import GIVEN, METRICS, PER_DEVICE
    from carbonopt.report.table import aligned

    entries = [
        {
            "name": metric.name,
            "unit": metric.unit,
            "label": metric.label,
            "product_of": list(metric.factors),
            "of_one_network": metric not in PER_DEVICE + GIVEN,
            "reference": metric.reference,
        }
        for metric in METRICS.values()
    ]
    if options.json:
        say_json(entries)
        return
    titles = {"metric": "name", "unit": "unit", "what": "label", "reference": "reference"}
    say(aligned({title: [str(entry[key]) for entry in entries] for title, key in titles.items()}))
    of_device = ", ".join(metric.name for metric in PER_DEVICE + GIVEN)
    say(f"\nOf one network: name@network, as in latency_s@resnet8; not for {of_device}.")
