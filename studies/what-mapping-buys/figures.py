"""What optimal mappings save over those of CarbonSpot's rules, by network, machine and layer."""

from itertools import product

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from carbonopt.carbon.presets import load_preset
from carbonopt.evaluate import evaluate_design, load_workload
from carbonopt.hardware.knobs import parse_knobs
from carbonopt.mapping.candidates import joined, reference_mappings
from carbonopt.mapping.plan import Plan
from carbonopt.performance.cost import mapped_cost
from carbonopt.performance.mapped import MappedLayer
from carbonopt.performance.mapper import solve_layer
from carbonopt.report import style
from carbonopt.report.study import output_of, tell_study
from carbonopt.workload.load import network_names

SIDES = {"digital_os": 32, "digital_ws": 32, "dimc": 128, "aimc": 128}  # 1.4 to 1.8 mm2 each
TAKEN = ("energy_j", "latency_s", "carbon_ca_g")


def solve(names: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what networks take on both mappings, and what distinct layers gain, a row each."""
    preset, networks, layers = load_preset("default"), [], {}
    for name, (machine, side) in product(names, SIDES.items()):
        knobs = parse_knobs(machine, {"rows": side, "cols": side, "sram": "256KiB"})
        for mode in ("reference", "optimal"):
            found = evaluate_design(machine, knobs, load_workload(name), preset, mode)
            parts = {f"{n}.{p}": x for n in TAKEN[:2] for p, x in found.breakdown[n].items()}
            parts |= {n: found.metrics[n] for n in TAKEN}
            networks.append({"network": name, "machine": machine, "mapping": mode} | parts)
            for own in found.cost.layers if mode == "reference" else ():
                layers.setdefault((machine, own.layer.anonymous, str(own.task.hierarchy)), own)
    gained = [{"machine": key[0]} | gains(own) for key, own in layers.items()]
    return pd.DataFrame(networks), pd.DataFrame(gained)


def gains(own: MappedLayer) -> dict[str, float | str]:
    """Return how many times less energy x latency a layer takes, and with tiles chosen alone."""
    task, (_, _, groups, _, _, _, *kernel) = own.task, own.layer.sizes
    conv = "depthwise" if groups > 2 else "1 x 1" if kernel == [1, 1] else "convolution"
    found = {"kind": {"gemm": "dense", "matmul": "attention"}.get(own.layer.kind, conv)}
    known = task.arrays(reference_mappings(task).unrollings)
    for name, unrollings in {"tiles": known, "all": None}.items():
        solved = solve_layer(task, Plan(task.storage), unrollings, supported=True)
        cost = mapped_cost(task, joined(solved.mappings))
        least = (cost.energy_pj * cost.cycles(loading=True)).min()
        found[name] = own.energy_pj * own.cycles / least
    return found


def numbers(networks: pd.DataFrame, layers: pd.DataFrame) -> dict[str, dict]:
    """Return times less by network, mean savings by part, best machines, and times by layer."""
    by = networks.set_index(["network", "machine", "mapping"]).fillna(0).unstack()
    before, after = by.xs("reference", axis=1, level=1), by.xs("optimal", axis=1, level=1)
    times, parts = (before / after)[[*TAKEN]], [n for n in before if "." in n]
    times["edp_js"] = times["energy_j"] * times["latency_s"]
    saved = pd.DataFrame({n: (before - after)[n] / before[n.split(".")[0]] for n in parts})
    best = by["carbon_ca_g"].stack("mapping").unstack("machine").idxmin(axis=1).unstack()
    cells = layers.groupby("kind")[["tiles", "all"]].agg(["count", "median", "max"])
    return {
        "times less": {" ".join(pair): each.to_dict() for pair, each in times.iterrows()},
        "mean": np.exp(np.log(times).groupby("machine").mean()).T.to_dict(),
        "saved": saved.groupby("machine").mean().T.to_dict(),
        "quantiles": layers["all"].quantile([0.25, 0.5, 0.75, 0.9, 0.95]).rename(str).to_dict(),
        "best": best[best["reference"] != best["optimal"]].T.to_dict(),
        "layers": {" ".join(pair): each.to_dict() for pair, each in cells.T.unstack().T.iterrows()},
    }


def draw(networks: pd.DataFrame, layers: pd.DataFrame) -> Figure:
    """Draw carbon saved by network and machine, and how many layers gain how much."""
    carbon = networks.pivot(index="network", columns=["mapping", "machine"], values="carbon_ca_g")
    saved = (100 - 100 * carbon["optimal"] / carbon["reference"]).sort_values("digital_os")
    with style.printed_style():
        figure = Figure(figsize=(style.COLUMN_IN, 5.4), layout="constrained")
        upper, lower = style.panels(figure, 2, 1, height_ratios=(1.8, 1)).flat
        for place, (machine, (colour, marker)) in enumerate(style.template_looks(SIDES).items()):
            heights = np.arange(len(saved)) + 0.16 * (1.5 - place)
            upper.plot(saved[machine], heights, marker, color=colour, label=machine)
            gained = layers["all"][layers["machine"] == machine]
            lower.ecdf(gained, complementary=True, color=colour)
        upper.set(yticks=range(len(saved)), yticklabels=saved.index, xlabel="carbon CA saved [%]")
        lower.set(ylabel="share of layers", xlabel="energy x latency: times less")
        style.scale_axis(lower.xaxis, layers["all"].to_numpy())
        style.head(figure, "Optimal mappings against CarbonSpot's", [upper])
    return figure


if __name__ == "__main__":
    out, found = output_of(__file__, __doc__), solve(network_names())
    told = numbers(*found)
    answer = pd.DataFrame(told["mean"]).T.rename_axis("times less, mean")
    answer = answer.rename(columns=lambda name: name.rpartition("_")[0])
    tell_study(__file__, out, {"mapping": draw(*found)}, told, answer)
