"""CPU time of the best row-stationary mappings of a layer, on the Eyeriss chip.

python benchmarks/row_stationary.py

Every distinct layer of a network once, with compiled kernels on disk, on one core; the least of
some repeats. Beside it the time to count one mapping, so that the ratio says how many mappings a
solved layer is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from timing import least_cpu_s

from carbonopt.hardware.knobs import parse_knobs
from carbonopt.hardware.template import build_machine, find_template
from carbonopt.hardware.variant import load_variant
from carbonopt.performance.row_stationary import array_of, shape_of, sizes_of, units_of
from carbonopt.performance.row_stationary_search import account, best_mappings
from carbonopt.workload.load import load_network

NETWORKS = ("alexnet", "vgg16", "resnet18", "resnet50", "mobilenet_v1", "mobilenet_edgetpu",
            "resnet8", "bert_base_block")  # fmt: skip
REPEATS, COUNTS = 5, 2000


def main() -> None:
    """Print layers, layers solved and mappings counted in a second, and their ratio."""
    machine = build_machine(
        find_template("eyeriss"), parse_knobs("eyeriss", {}), load_variant("default"),
        dram_byte=2**30, resident_byte=2**30,
    )  # fmt: skip
    array = array_of(machine)
    for name in NETWORKS:
        layers = list({layer.anonymous for layer in load_network(name).layers})
        given = [
            (shape_of(layer), sizes_of(array), units_of(layer, array, 0.0)) for layer in layers
        ]
        one = (*given[0], np.ones(7, dtype=np.int64))
        account(*one)
        counted_s = least_cpu_s(partial(_repeat, account, [one] * COUNTS), REPEATS) / COUNTS
        solved_s = least_cpu_s(partial(_repeat, best_mappings, given), REPEATS) / len(layers)
        print(
            f"{name}: {len(layers)} layers, {1 / solved_s:,.0f} layers/s solved, "
            f"{1 / counted_s:,.0f} mappings/s counted, ratio {solved_s / counted_s:,.0f}"
        )


def _repeat(action: Callable[..., object], arguments: Iterable[tuple[object, ...]]) -> None:
    for each in arguments:
        action(*each)


if __name__ == "__main__":
    main()
