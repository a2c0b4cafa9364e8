"""Searching mappings: what naming and repairing one costs, and how far a search goes.

python benchmarks/mapping_genes.py
"""

from __future__ import annotations

import numpy as np
from timing import least_cpu_s

import carbonopt as co
from carbonopt.hardware.knob_table import Knobs
from carbonopt.hardware.machine import OPERANDS
from carbonopt.hardware.template import find_template
from carbonopt.hardware.variant import load_variant
from carbonopt.mapping.candidates import Mappings
from carbonopt.mapping.genes import GeneMap, LayerGenes
from carbonopt.mapping.residency import machine_for, residency
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cost import mapped_cost
from carbonopt.workload.load import load_network

DRAWS, REPEATS = 300, 3
SEARCHES = (("random", 300), ("tpe", 300), ("nsga2", 300), ("random", 2000), ("nsga2", 2000))
SEEDS = (1, 2, 3)


def layer_maps() -> list[GeneMap]:
    """ResNet-8 on the machine of the problem `resnet8_mapping`."""
    network, variant = load_network("resnet8"), load_variant("default")
    knobs = Knobs(16, 16, 1, 2.0**12)
    machine = machine_for(network, find_template("digital_os"), knobs, variant, dram_byte=2.0**20)
    levels = dict.fromkeys(OPERANDS, 3)
    return [
        GeneMap(MappingTask(layer, machine, hierarchy), LayerGenes(layer, levels))
        for layer, hierarchy in zip(network.layers, residency(network, machine), strict=True)
    ]


def main() -> None:
    maps, rng = layer_maps(), np.random.default_rng(1)
    drawn = [
        (each, [int(rng.integers(size)) for size in each.genes.sizes.values()])
        for each in maps
        for _ in range(DRAWS)
    ]
    mapped: list[tuple[GeneMap, Mappings]] = [(each, each.mapping(v)) for each, v in drawn]
    naming = least_cpu_s(lambda: [each.mapping(values) for each, values in drawn], REPEATS)
    costing = least_cpu_s(lambda: [mapped_cost(each.task, m) for each, m in mapped], REPEATS)
    print(
        f"{len(drawn) / (naming + costing):,.0f} layer mappings per second, one at a time: "
        f"naming and repair take {naming / costing:.0%} of the cost model's time"
    )
    for searcher, budget in SEARCHES:
        fronts = [co.search("resnet8_mapping", searcher, budget, seed) for seed in SEEDS]
        shares = [100 * front.compared()["hypervolume_log_ratio"] for front in fronts]
        print(f"{searcher}, {budget} designs: {min(shares):.1f} to {max(shares):.1f} % of exact")


if __name__ == "__main__":
    main()
