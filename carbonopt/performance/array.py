"""Energy of computing on the array, for an unrolled layer."""

from __future__ import annotations

import math

from carbonopt.hardware.digital import DigitalArray
from carbonopt.hardware.imc import ImcMacro, scalar_parts
from carbonopt.hardware.imc_model import cycle_energy
from carbonopt.hardware.machine import Machine
from carbonopt.hardware.technology import load_technology, tree_pj
from carbonopt.hardware.variant import ModelVariant
from carbonopt.mapping.spatial import Unrolling, positions_spanned
from carbonopt.workload.layer import DIMS, Layer

_OUTPUT_OF = {"FX": "OX", "FY": "OY"}


def array_energy(layer: Layer, machine: Machine, unrolling: Unrolling) -> dict[str, float]:
    """Energy of all multiply-accumulates of a layer by part [pJ].

    It depends on the unrolling, not on the order of the temporal loops.
    """
    if isinstance(machine.array, ImcMacro):
        return _macro_energy(layer, machine, machine.array, unrolling)
    return _digital_energy(layer, machine, machine.array, unrolling)


def _digital_energy(
    layer: Layer, machine: Machine, array: DigitalArray, unrolling: Unrolling
) -> dict[str, float]:
    """Energy of MACs and adder trees [pJ].

    E = e_mac MACs + E_tree(p, D2, r) c m a, with r rows and c columns in use, m macros, and
    a = MACs / units activations.

    References
    ----------
    .. [1] CarbonSpot, cost_model/cost_model.py:590-800.
    """
    parts = {"mac": array.mac_pj * layer.macs}
    if array.adder_tree:
        parts["adders"] = 0.0
        if layer.kind != "matmul" or not machine.variant.free_activation_products:
            columns_dim, rows_dim, *_ = machine.shape
            rows, cols = unrolling.product(rows_dim), unrolling.product(columns_dim)
            units = round(unrolling.units)
            tree = _mean_tree(machine, array.tree_bits, rows)
            parts["adders"] = tree * cols * (units / (rows * cols)) * (layer.macs / units)
    return parts


def _mean_tree(machine: Machine, bits: int, rows: float) -> float:
    """Energy of a sum in an adder tree, averaged over passes with `rows` inputs on average [pJ].

    Passes fill floor(rows) or ceil(rows) inputs (see `ModelVariant.trees_of_fractions`).
    """
    technology = load_technology()
    _, inputs, *_ = machine.shape.values()
    if machine.variant.trees_of_fractions:
        return tree_pj(technology, bits, inputs, rows)
    fewer = math.floor(rows)
    least, most = (tree_pj(technology, bits, inputs, used) for used in (fewer, fewer + 1))
    return least + (rows - fewer) * (most - least)


def accumulated_rows(
    layer: Layer, unrolling: Unrolling, columns: str, rows: str, variant: ModelVariant
) -> tuple[int, int]:
    """Count rows of a macro that one output sums, and rows that hold weights at all.

    Output positions unrolled along the array dimension `columns` spread kernels along `rows`
    over every input that they touch; see `ModelVariant` for `pointwise_rows_shared` and
    `unit_stride_rows`.
    """
    summed = math.ceil(round(unrolling.product(rows), 9))
    positions = {
        kernel: unrolling.product(columns, (output,)) for kernel, output in _OUTPUT_OF.items()
    }
    if math.prod(positions.values()) == 1:
        return summed, summed
    occupied = unrolling.product(rows, [dim for dim in DIMS if dim not in _OUTPUT_OF])
    for axis, (kernel, outputs) in enumerate(positions.items()):
        size = unrolling.product(rows, (kernel,))
        if size > 1 or not variant.pointwise_rows_shared:
            occupied *= positions_spanned(
                layer, axis, size, outputs, unit_stride=variant.unit_stride_rows
            )
    return summed, math.ceil(round(occupied, 9))


def written_rows(layer: Layer, unrolling: Unrolling, machine: Machine) -> int:
    """Count rows of a macro that are written to replace one weight of each group."""
    columns, rows, *_ = machine.shape
    return accumulated_rows(layer, unrolling, columns, rows, machine.variant)[1]


def _macro_energy(
    layer: Layer, machine: Machine, macro: ImcMacro, unrolling: Unrolling
) -> dict[str, float]:
    """Energy of a layer in in-memory-computing macros [pJ].

    E = e_cycle(columns, rows in use) q MACs / units, with q cycles per multiply-accumulate.

    References
    ----------
    .. [1] As `carbonopt.hardware.imc_model.cycle_energy`.
    """
    used = unrolling.as_asked if machine.variant.macros_wait_for_ports else unrolling
    columns, rows, *_ = machine.shape
    technology, cols = machine.technology, used.product(columns)
    summed, occupied = accumulated_rows(layer, used, columns, rows, machine.variant)
    added = occupied if macro.form.sums_occupied_rows else summed
    tree = tree_pj(technology, float(macro.tree_bits), float(macro.rows), added)
    cycle = cycle_energy(
        technology, macro, cols=cols, occupied_rows=occupied, tree_pj=tree,
        activity=machine.activity,
    )  # fmt: skip
    activations = layer.macs / (cols * used.product(rows))
    cycles = activations * macro.passes
    return scalar_parts({name: part * cycles for name, part in cycle.items()})
