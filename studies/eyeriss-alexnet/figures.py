"""AlexNet dense and compressed: the published estimator beside the row-stationary machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from carbonopt.carbon.presets import load_preset
from carbonopt.evaluate import Evaluation, evaluate_design, load_workload
from carbonopt.hardware.knobs import parse_knobs
from carbonopt.performance.eyeriss_estimator import Estimate, at_bits, estimate, ungrouped
from carbonopt.report import style
from carbonopt.report.energy_figures import plot_estimate
from carbonopt.report.study import output_of, tell_study
from carbonopt.workload.layer_settings import load_layer_settings

HERE = Path(__file__).parent
SETTINGS = {"weight_bits": 16, "activation_bits": 16}
METRICS = ("energy_j", "latency_s", "carbon_ca_g", "embodied_g", "area_mm2")
LEVELS = {"compute": "array", "RF": "register", "NoC": "noc", "buffer": "sram", "DRAM": "dram"}
COLOURS = {
    "array": style.GREY, "control": style.BLACK, "register": style.SKY, "noc": style.YELLOW,
    "sram": style.GREEN, "dram": style.PINK,
}  # fmt: skip


def solve() -> dict[str, tuple[Estimate, Evaluation]]:
    """Return estimate and evaluation of both networks, by name."""
    workload = load_workload("alexnet", dram_byte=2**27)  # holds it at 16 bit
    plain = ungrouped(workload.network)
    own = load_layer_settings(HERE / "layers.csv", plain)
    preset, chip = load_preset("default"), parse_knobs("eyeriss", {})
    found = {}
    for name, settings in (("dense", SETTINGS), ("compressed", SETTINGS | own)):
        network = at_bits(plain, settings)
        task = type(workload)(network, workload.dram_byte, workload.period_s)
        machine = evaluate_design("eyeriss", chip, task, preset, "optimal", "edp")
        found[name] = estimate(network), machine
    return found


def numbers(found: dict[str, tuple[Estimate, Evaluation]]) -> dict[str, Any]:
    """Return what the study states, as in expected.json."""
    return {
        name: {
            "estimate": guess.total,
            "by_level": {part: float(each.sum()) for part, each in guess.by_level.items()},
            **{metric: real.metrics[metric] for metric in METRICS},
            "energy_parts_j": dict(real.breakdown["energy_j"]),
        }
        for name, (guess, real) in found.items()
    }


def draw(found: dict[str, tuple[Estimate, Evaluation]]) -> Figure:
    """Draw both networks layer by layer: dense on the left of each pair, compressed right."""
    with style.printed_style():
        figure = Figure(figsize=(style.COLUMN_IN, 5.0), layout="constrained")
        panels = style.panels(figure, 2, 1).ravel()
        for place, (guess, real) in zip((-0.2, 0.2), found.values(), strict=True):
            units = {LEVELS[name]: each / 1e9 for name, each in guess.by_level.items()}
            layers = [layer.energy_parts() for layer in real.cost.layers]
            joules = {part: np.array([each[part] for each in layers]) / 1e9 for part in COLOURS}
            for panel, parts in zip(panels, (units, joules), strict=True):
                base = np.zeros(len(guess.names))
                for part in (part for part in COLOURS if part in parts):
                    panel.bar(
                        np.arange(len(base)) + place, parts[part], 0.36, bottom=base,
                        color=COLOURS[part], label=part, edgecolor="white", linewidth=0.4,
                    )  # fmt: skip
                    base += parts[part]
                panel.set_xticks(range(len(base)), guess.names, rotation=30)
                panel.grid(visible=False, axis="x")
        panels[0].set(title="published estimator", ylabel="energy [billion 16-bit MACs]")
        panels[1].set(title="row-stationary machine (the chip)", ylabel="energy [mJ]")
        style.head(figure, "AlexNet: dense (left bars), compressed", panels[::-1], 3)
    return figure


def main() -> None:
    """Draw everything and print the answer."""
    out, found = output_of(__file__, __doc__), solve()
    for name, (guess, _) in found.items():
        plot_estimate(guess, f"AlexNet, {name}", out / name)
    told = numbers(found)
    answer = pd.DataFrame(told).loc[["estimate", *METRICS]].astype(float)
    answer["of it"] = answer["compressed"] / answer["dense"]
    tell_study(__file__, out, {"energy": draw(found)}, told, answer.rename_axis("what"))


if __name__ == "__main__":
    main()
