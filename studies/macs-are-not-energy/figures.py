"""How well MACs and weights say what a network, or a layer, takes in energy and time."""

from itertools import permutations, product

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import pearsonr, spearmanr

from carbonopt.carbon.presets import load_preset
from carbonopt.compress.rank import layer_uses
from carbonopt.evaluate import evaluate_design, load_workload
from carbonopt.hardware.knobs import parse_knobs
from carbonopt.report import style
from carbonopt.report.study import output_of, tell_study
from carbonopt.workload.load import network_names

MACHINES = {"eyeriss": {}, "digital_ws": {"rows": "16", "cols": "16", "sram": "128KiB"}}
COUNTS, TAKEN = ("macs", "weights"), ("energy_j", "latency_s")
NAMED = {"autoencoder": 5, "llm_decode_block": 5, "deeplab_v3": 13, "alexnet": -11}


def solve(names: list[str]) -> pd.DataFrame:
    """Return what each layer of the networks takes on both machines, one row each."""
    preset, rows = load_preset("default"), []
    for name, (machine, knobs) in product(names, MACHINES.items()):
        workload = load_workload(name)
        found = evaluate_design(machine, parse_knobs(machine, knobs), workload, preset, "optimal")
        for layer, use in zip(workload.network.layers, layer_uses(found), strict=True):
            rows.append({"network": name, "machine": machine, "shape": layer.anonymous} | vars(use))
    return pd.DataFrame(rows)


def sums(layers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the sums of each network, and layers with trained weights, each shape once."""
    whole = layers.groupby("network", sort=False)[[*COUNTS, *TAKEN]].sum()
    return whole, layers[layers["weights"] > 0].drop_duplicates("shape")


def numbers(layers: pd.DataFrame) -> dict[str, dict]:
    """Return correlations over networks and layers, outliers, and whom both counts mislead."""
    found = {}
    for machine, own in layers.groupby("machine", sort=False):
        whole, distinct = sums(own)
        found[machine] = {"energy_over_that_of_one_with_more_of_both": {
            f"{a} / {b}": float(whole["energy_j"][a] / whole["energy_j"][b])
            for a, b in permutations(whole.index, 2)
            if (whole.loc[a, [*COUNTS]] < whole.loc[b, [*COUNTS]]).all()
            and whole["energy_j"][a] > whole["energy_j"][b]
        }}  # fmt: skip
        for taken, count in product(TAKEN, COUNTS):
            times = (per := whole[taken] / whole[count]) / per.median()
            far = times.apply(np.log).abs().nlargest(3).index
            found[machine][f"{taken} by {count}"] = {
                "networks": agreement(whole[count], whole[taken]),
                "layers": agreement(distinct[count], distinct[taken]),
                "outliers_over_median": times[far].to_dict(),
            }
    return found


def agreement(count: pd.Series, taken: pd.Series) -> dict[str, float]:
    """Correlate ranks and logarithms."""
    rank, log = spearmanr(count, taken), pearsonr(np.log(count), np.log(taken))
    return {"spearman": float(rank.statistic), "pearson_of_logs": float(log.statistic)}


def draw(layers: pd.DataFrame) -> Figure:
    """Draw energy over both counts: layers as a cloud, networks as points, outliers by name."""
    with style.printed_style():
        figure = Figure(figsize=(style.PAGE_IN, 5.4), layout="constrained")
        panels = style.panels(figure, 2, 2, sharex="col", sharey="row")
        for row, (name, own) in zip(panels, layers.groupby("machine", sort=False), strict=True):
            (colour, marker), (whole, distinct) = style.template_looks([name])[name], sums(own)
            for panel, count in zip(row, COUNTS, strict=True):
                joules, many = whole["energy_j"], whole[count]
                panel.scatter(distinct[count], distinct["energy_j"], 9, style.CLOUD, label="layers")
                panel.plot(many, joules, marker, color=colour, label=f"networks on {name}")
                median, ends = (joules / many).median(), np.array([many.min() / 9, many.max() * 4])
                panel.plot(ends, ends * median, "--", color=style.GREY, label="median per count")
                panel.set(xscale="log", yscale="log", xlim=(None, 300 * many.max()))
                for each, up in NAMED.items():
                    low = joules[each] < median * many[each]
                    place, side = ((6, -4), "left") if low else ((-6, up), "right")
                    words = {"textcoords": "offset points", "fontsize": 7, "ha": side}
                    panel.annotate(each, (many[each], joules[each]), place, **words)
            row[0].set_ylabel(f"energy on {name} [J]")
        for panel, count in zip(panels[-1], ("MACs", "weights"), strict=True):
            panel.set_xlabel(count)
        style.head(figure, "Energy of an inference over what is counted", panels.flat)
    return figure


if __name__ == "__main__":
    out, found = output_of(__file__, __doc__), solve(network_names())
    told = numbers(found)
    pairs = {f"{m}: {n}": each for m, own in told.items() for n, each in own.items() if " by " in n}
    ranks = {n: [p[k]["spearman"] for k in ("networks", "layers")] for n, p in pairs.items()}
    answer = pd.DataFrame(ranks, ["networks", "layers"]).T.rename_axis("rank correlation")
    tell_study(__file__, out, {"energy": draw(found)}, told, answer)
