"""Runs side by side: on which ground they can be compared, and then how they compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from carbonopt.errors import SpecError
from carbonopt.front.compare import Comparison, compare_fronts
from carbonopt.front.conditions import check_numeric
from carbonopt.objectives import PER_DEVICE, Metric
from carbonopt.run.sources import Source, open_source
from carbonopt.units import format_named

_SCENARIO_FREE = ("latency_s", "energy_j", "edp_js", "area_mm2", "idle_w")
_HASHES = {
    "spec_hash": "the problems differ (spaces, limits or scenarios)",
    "data_hash": "the data that carbonopt ships differ",
    "model_hash": "carbonopt's models differ: part of what differs may be theirs",
}
_NO_PRICE = ("name", "hardware")
"""Keys of a preset that do not price: what it is called, and by what the hardware is modelled."""
_LISTED = 4


def compare(sources: Sequence[str | Path], objectives: Sequence[str] = ()) -> Comparison:
    """Compare the fronts of several runs, tables or problems in the objectives that they share.

    Carbon under different scenarios is not compared; other networks' metrics are refused.

    Parameters
    ----------
    sources
        Two or more, as for `carbonopt.load_front`.
    objectives
        In place of those that all have in common.

    Returns
    -------
    Comparison
        Its notices state the common ground wherever it is not everything.

    Raises
    ------
    SpecError
        There is no common ground, or fewer than two sources.
    StoreError
        A run cannot be read.
    """
    if len(sources) < 2:
        raise SpecError(f"compare: got {len(sources)} run, allowed: two or more")
    opened = [open_source(source) for source in sources]
    for source in opened if objectives else []:
        check_numeric(list(objectives), source.front.evaluations, f"{source.name}: objectives")
    named = dict(zip(_labels([str(source) for source in sources]), opened, strict=True))
    metrics, notices = _objectives(named, objectives)
    metrics, told = _same_scenario(named, metrics, bool(objectives))
    notices += told
    _check_networks(named, metrics)
    point, told = _reference_point(opened, metrics)
    notices += told + _other_differences(named)
    fronts = {name: source.front for name, source in named.items()}
    return compare_fronts(fronts, metrics, point, notices)


def _labels(names: Sequence[str]) -> list[str]:
    """Name each source by its last part, or in full where that is not unique.

    Raises
    ------
    SpecError
        A source is named twice.
    """
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise SpecError(f"compare: got {repeated[0]} twice, allowed: different runs")
    short = [Path(name).name for name in names]
    return [s if short.count(s) == 1 else name for s, name in zip(short, names, strict=True)]


def _objectives(
    named: Mapping[str, Source], asked: Sequence[str]
) -> tuple[list[Metric], list[str]]:
    """Choose the objectives to compare in, and tell where they are not those of every source."""
    fronts = [source.front for source in named.values()]
    known = {m.name: m for front in reversed(fronts) for m in front.metrics}
    if asked:
        return [known.get(name) or Metric(name, name) for name in asked], []
    shared = [n for n in fronts[0].objectives if all(n in f.objectives for f in fronts)]
    if not shared:
        own = "; ".join(f"{n}: {', '.join(s.front.objectives)}" for n, s in named.items())
        allowed = "runs with an objective in common, or --objectives"
        raise SpecError(f"compare: got no objective in common ({own}), allowed: {allowed}")
    left_out = [name for name in known if name not in shared]
    told = f"compared in the objectives in common: {', '.join(shared)}"
    notices = [f"{told}; not in {', '.join(left_out)}"] if left_out else []
    return [known[name] for name in shared], notices


def _same_scenario(
    named: Mapping[str, Source], metrics: Sequence[Metric], asked: bool
) -> tuple[list[Metric], list[str]]:
    """Leave out what depends on the scenario where the runs have different ones.

    Raises
    ------
    SpecError
        Nothing is left, or such an objective was asked for.
    """
    differing = _differing(named)
    bound = [m.name for m in metrics if m.name.partition("@")[0] not in _SCENARIO_FREE]
    if not differing or not bound:
        return list(metrics), []
    said = f"the runs were priced under different scenarios ({'; '.join(differing)})"
    free = [m for m in metrics if m.name not in bound]
    if asked or not free:
        advice = (
            f"objectives of {', '.join(_SCENARIO_FREE)}, or runs priced alike: carbonopt reprice"
        )
        raise SpecError(f"compare: {', '.join(bound)}: {said}, allowed: {advice}")
    return free, [f"{said}: not compared in {', '.join(bound)} (price them alike with reprice)"]


def _differing(named: Mapping[str, Source]) -> list[str]:
    """Keys of the scenarios that differ, each with the value of every run."""
    scenarios = {name: _scenario(s.manifest) for name, s in named.items() if s.manifest}
    keys = list(dict.fromkeys(key for each in scenarios.values() for key in each))
    told = []
    for key in keys:
        values = {name: each.get(key) for name, each in scenarios.items()}
        if len({repr(value) for value in values.values()}) > 1:
            shown = dict.fromkeys(format_named(key, value) for value in values.values())
            told.append(f"{key} {' and '.join(shown)}")
    return told[:_LISTED] + (["..."] if len(told) > _LISTED else [])


def _scenario(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that prices a run: the carbon preset and the periods of the networks."""
    content = manifest.get("content", {})
    periods = {f"period_s@{w['name']}": w["period_s"] for w in content.get("workloads", [])}
    preset = {k: v for k, v in content.get("preset", {}).items() if k not in _NO_PRICE}
    return {**preset, **periods}


def _check_networks(named: Mapping[str, Source], metrics: Sequence[Metric]) -> None:
    """Refuse to compare metrics of different networks, or of different models in Python."""
    devices = {m.name for m in PER_DEVICE}
    whole = [m.name for m in metrics if "@" not in m.name and m.name not in devices]
    models = {name: _model(s.manifest) for name, s in named.items() if s.manifest}
    if whole and len(set(models.values())) > 1:
        told = "; ".join(f"{name}: {model}" for name, model in models.items())
        allowed = "runs of the same networks, or --objectives of one, as latency_s@resnet8"
        raise SpecError(f"compare: got runs of different networks ({told}), allowed: {allowed}")


def _model(manifest: Mapping[str, Any]) -> str:
    """Name what was evaluated: the networks, or the row function of a problem made in Python."""
    content = manifest.get("content", {})
    names = sorted(workload["name"] for workload in content.get("workloads", []))
    return ", ".join(names) or str(content.get("evaluate_row", manifest["problem"]))


def _reference_point(
    sources: Sequence[Source], metrics: Sequence[Metric]
) -> tuple[dict[str, float] | None, list[str]]:
    """Take the reference point of the problems, the larger value where they differ."""
    names = [m.name for m in metrics]
    points = [source.front.reference_point or {} for source in sources]
    known = [point for point in points if set(names) <= set(point)]
    if not known:
        return None, ["no problem has a reference point in these objectives: no hypervolume"]
    widest = {name: max(point[name] for point in known) for name in names}
    if all(point[name] == widest[name] for point in known for name in names):
        return widest, []
    return widest, ["reference points differ: hypervolume is measured from the larger values"]


def _other_differences(named: Mapping[str, Source]) -> list[str]:
    """Tell what else differs, and what is not known."""
    manifests = {name: s.manifest for name, s in named.items() if s.manifest}
    notices = []
    for key, words in _HASHES.items():
        values = {str(manifest[key]) for manifest in manifests.values() if key in manifest}
        notices += [words] if len(values) > 1 else []
    checks: dict[str, Callable[[Mapping[str, Any]], object]] = {
        "limits": lambda manifest: manifest.get("limits"),
        "mappings": lambda manifest: manifest.get("content", {}).get("mapping"),
        "hardware models": lambda m: m.get("content", {}).get("preset", {}).get("hardware"),
    }
    for word, value in checks.items():
        if len({repr(value(manifest)) for manifest in manifests.values()}) > 1:
            notices.append(f"the {word} differ: each run's designs keep its own")
    bare = [name for name in named if name not in manifests]
    if bare:
        notices.append(f"{', '.join(bare)}: a table, so what it was evaluated with is not known")
    return notices
