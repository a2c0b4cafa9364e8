"""How sure the carbon of designs is, how sure their order, and which numbers make it unsure."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from carbonopt.carbon.deployment import deployed_preset
from carbonopt.carbon.uncertainty import load_priors, sampled_preset, sobol_shares
from carbonopt.evaluate import load_workload
from carbonopt.front.pricing import Scenario
from carbonopt.front.uncertainty import Uncertainty, assess, carbon_samples
from carbonopt.report import style
from carbonopt.report.study import output_of, tell_study
from carbonopt.report.uncertainty import draw_causes
from carbonopt.run.sources import load_front

TINY = ("resnet8", "ds_cnn", "mobilenet_v1", "autoencoder")
PROBLEMS = {"mlperf_tiny": TINY, "scenario_free_edge": ("resnet8",)}
USES = {
    "CA": ("CA", {}),
    "CA, grid known": ("CA", {"region": "World"}),
    "PA": ("PA", {}),
    "PA, low standby": ("PA", {"leakage_factor": 3e-4}),
}
LABELS = {"alone": "5 to 95 % of carbon", "beside": "over the best design's in the same sample"}
SAMPLES, ENDS = 256, (0.05, 0.95)


def sample(problem: str, use: str) -> tuple[Uncertainty, np.ndarray]:
    """Assess the front of a problem in a use; return that and all samples (m, n) of its designs."""
    (activity, values), front = USES[use], load_front(problem)
    scenario = Scenario(activity, deployed_preset(**values))
    networks = [load_workload(name).deployment for name in PROBLEMS[problem]]
    found = assess(front.evaluations, networks, scenario, SAMPLES)
    shares = sobol_shares(SAMPLES, len(load_priors(scenario.preset)))
    drawn = replace(scenario, preset=sampled_preset(scenario.preset, shares))
    return found, carbon_samples(found.designs, networks, drawn)


def numbers(found: Uncertainty, carbon: np.ndarray) -> dict:
    """Return how sure the least carbon is, the design that has it, the front, and why not."""
    designs, least = found.designs, carbon.min(axis=1)
    nominal, best = designs["nominal_front"], int(designs["nominal"].argmin())
    return {
        "nominal_g": designs["nominal"][best],
        "p95_over_p5": np.divide(*np.quantile(carbon[:, best], ENDS[::-1])),
        "best_in": float((carbon[:, best] == least).mean()),
        "regret": float(np.quantile(carbon[:, best] / least, ENDS[1]) - 1),
        "front": int(nominal.sum()),
        "stay": int((designs["share"][nominal] > ENDS[1]).sum()),
        "ever": int((designs["share"] > 0).sum()),
        "kinds": kinds(found, carbon),
        "causes": found.causes.head(3).set_index("parameter")["total"].to_dict(),
    }


def kinds(found: Uncertainty, carbon: np.ndarray) -> dict[str, dict[str, list[float]]]:
    """Return carbon of the best of each kind over the best of all: nominal, 5 and 95 %."""
    grams, told = found.designs["nominal"], {}
    for kind, place in found.designs.groupby("template")["nominal"].idxmin().items():
        beside = np.quantile(carbon[:, place] / carbon[:, grams.argmin()], ENDS)
        alone = np.quantile(carbon[:, place], ENDS) / grams.min()
        told[kind] = {"nominal": [grams[place] / grams.min()]}
        told[kind] |= {"alone": alone.tolist(), "beside": beside.tolist()}
    return told


def draw(problem: str) -> Figure:
    """Draw by use how far carbon goes, alone and over the best design's, and its causes."""
    with style.printed_style():
        figure = Figure(figsize=(style.PAGE_IN, 5.8), layout="constrained")
        panels = style.panels(figure, len(USES), 2, width_ratios=(1.2, 1), sharex="col")
        for (left, right), use in zip(panels, USES, strict=True):
            found, carbon = sample(problem, use)
            own = kinds(found, carbon)
            looks = style.template_looks(own)
            for place, (kind, (colour, marker)) in enumerate(looks.items()):
                for name, wide, paint in (("alone", 6, style.CLOUD), ("beside", 2, colour)):
                    (line,) = left.plot(own[kind][name], [place] * 2, color=paint, lw=wide)
                    line.set(label=LABELS[name], solid_capstyle="butt")
                left.plot(own[kind]["nominal"], place, marker, color=colour, label="nominal")
            left.set(title=use, yticks=range(len(looks)), yticklabels=looks, ylim=(-0.6, 2.6))
            draw_causes(right, found)
        left.set(xlabel="times the nominal carbon of the best design")
        style.head(figure, f"{problem}: carbon of the best designs", panels[:1, 0])
    return figure


if __name__ == "__main__":
    out = output_of(__file__, __doc__)
    told = {f"{p}, {use}": numbers(*sample(p, use)) for p, use in product(PROBLEMS, USES)}
    answer = pd.DataFrame(told).T.drop(columns=["kinds", "causes"]).rename_axis("front, use")
    tell_study(__file__, out, {"sure": draw("mlperf_tiny")}, told, answer)
