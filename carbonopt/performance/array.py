"""Energy of computing on the array, for a layer under some unrollings."""

from __future__ import annotations

import math

import numpy as np

from carbonopt.arrays import Floats
from carbonopt.errors import MappingError
from carbonopt.hardware.digital import DigitalArray
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.imc_model import cycle_energy
from carbonopt.hardware.machine import Machine
from carbonopt.hardware.technology import tree_pj
from carbonopt.hardware.variant import ModelVariant
from carbonopt.mapping.spatial import Unrollings, positions_spanned
from carbonopt.workload.layer import DIMS, Layer

_OUTPUT_OF = {"FX": "OX", "FY": "OY"}
_DECIMALS = 9  # means come back as whole numbers only up to rounding


def array_energy(layer: Layer, machine: Machine, unrollings: Unrollings) -> dict[str, Floats]:
    """Energy of all multiply-accumulates of a layer by part, for each unrolling (u,) [pJ].

    It does not depend on the order of the temporal loops.
    """
    if isinstance(machine.array, ImcMacro):
        return _macro_energy(layer, machine, machine.array, unrollings)
    if isinstance(machine.array, DigitalArray):
        return _digital_energy(layer, machine, machine.array, unrollings)
    raise MappingError(f"{machine.name}: got row-stationary mappings, allowed: loop nests")


def least_array_energy(layer: Layer, machine: Machine, passes: Floats) -> Floats:
    """Return the energy of all multiply-accumulates that no unrolling undercuts (n,) [pJ].

    Given the passes that it leaves. That of the multipliers of a digital array, whichever of them
    compute; of a macro with a energy per column, b per row and c per cycle that of

        MACs min_r (a / r + b r / u + c / u),  u = MACs / passes units, at most all of them.

    Trees are not counted.
    """
    array = machine.array
    if isinstance(array, DigitalArray):
        return np.full(len(passes), array.mac_pj * layer.macs * (1.0 - layer.pruned_share))
    if not isinstance(array, ImcMacro):
        return np.zeros(len(passes))
    activity = machine.activity.of_weights(1.0 - layer.pruned_share)
    fixed, per_column, per_row = (
        sum(cycle_energy(
            machine.technology, array, cols=cols, occupied_rows=rows, tree_pj=0.0,
            activity=activity,
        ).values())
        for cols, rows in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    )  # fmt: skip
    columns, rows, *_ = machine.shape.values()
    units: Floats = np.full(len(passes), float(columns * rows))
    if not machine.variant.macros_wait_for_ports:
        units = np.minimum(units, layer.macs / passes)
    a, b = per_column - fixed, per_row - fixed
    best = np.clip(np.sqrt(a / b * units) if b > 0 else rows, units / columns, rows)
    energy: Floats = (a / best + b * best / units + fixed / units) * layer.macs * array.passes
    return energy


def _digital_energy(
    layer: Layer, machine: Machine, array: DigitalArray, unrollings: Unrollings
) -> dict[str, Floats]:
    """Energy of MACs and adder trees (u,) [pJ].

    E = e_mac MACs + E_tree(p, D2, r) c m a, with r rows and c columns in use, m macros, and
    a = MACs / units activations; both times 1 - z where z of the weights are pruned, whose products
    are gated.

    References
    ----------
    .. [1] CarbonSpot, cost_model/cost_model.py:590-800.
    """
    switched = 1.0 - layer.pruned_share
    parts = {"mac": np.full(len(unrollings), array.mac_pj * layer.macs * switched)}
    if array.adder_tree:
        parts["adders"] = np.zeros(len(unrollings))
        if layer.kind != "matmul" or not machine.variant.free_activation_products:
            columns_dim, rows_dim, *_ = machine.shape
            rows, cols = unrollings.along(rows_dim), unrollings.along(columns_dim)
            units = np.rint(unrollings.mean.prod(axis=(1, 2)))
            some, which = np.unique(rows, return_inverse=True)
            tree = np.array([_mean_tree(machine, array.tree_bits, used) for used in some])[which]
            parts["adders"] = (
                tree * cols * (units / (rows * cols)) * (layer.macs / units) * switched
            )
    return parts


def _mean_tree(machine: Machine, bits: int, rows: float) -> float:
    """Energy of a sum in an adder tree, averaged over passes with `rows` inputs on average [pJ].

    Passes fill floor(rows) or ceil(rows) inputs (see `ModelVariant.trees_of_fractions`).
    """
    _, inputs, *_ = machine.shape.values()
    if machine.variant.trees_of_fractions:
        return tree_pj(machine.technology, bits, inputs, rows)
    fewer = math.floor(rows)
    least, most = (tree_pj(machine.technology, bits, inputs, used) for used in (fewer, fewer + 1))
    return least + (rows - fewer) * (most - least)


def accumulated_rows(
    layer: Layer, unrollings: Unrollings, columns: str, rows: str, variant: ModelVariant
) -> tuple[Floats, Floats]:
    """Count rows of a macro that one output sums, and rows that hold weights at all (u,).

    Output positions unrolled along the array dimension `columns` spread kernels along `rows`
    over every input that they touch; see `ModelVariant` for `pointwise_rows_shared` and
    `unit_stride_rows`.
    """
    summed = unrollings.along(rows)
    occupied = summed.copy()
    positions = {kernel: unrollings.along(columns, (of,)) for kernel, of in _OUTPUT_OF.items()}
    spread = np.flatnonzero(math.prod(positions.values()) != 1)
    if len(spread):
        channels = unrollings.along(rows, [dim for dim in DIMS if dim not in _OUTPUT_OF])
        occupied[spread] = channels[spread]
        for axis, kernel in enumerate(_OUTPUT_OF):
            sizes = unrollings.along(rows, (kernel,))[spread]
            spans = positions_spanned(
                layer, axis, sizes, positions[kernel][spread],
                unit_stride=variant.unit_stride_rows,
            )  # fmt: skip
            shared = (sizes <= 1) & variant.pointwise_rows_shared
            occupied[spread] *= np.where(shared, 1.0, spans)
    return _ceil(summed), _ceil(occupied)


def _ceil(mean: Floats) -> Floats:
    """Round means over the passes up."""
    rounded: Floats = np.ceil(np.round(mean, _DECIMALS))
    return rounded


def writing_rows(layer: Layer, unrollings: Unrollings, machine: Machine) -> Floats:
    """Cycles in which the rows of a macro are written to replace one weight of each group (u,)."""
    columns, rows, *_ = machine.shape
    _, occupied = accumulated_rows(layer, unrollings, columns, rows, machine.variant)
    return occupied * machine.row_cycles


def _macro_energy(
    layer: Layer, machine: Machine, macro: ImcMacro, unrollings: Unrollings
) -> dict[str, Floats]:
    """Energy of a layer in in-memory-computing macros (u,) [pJ].

    E = e_cycle(columns, rows in use) q MACs / units, with q cycles per multiply-accumulate.
    Multipliers, bit lines and trees switch 1 - z as often where z of the weights are zeros.

    References
    ----------
    .. [1] As `carbonopt.hardware.imc_model.cycle_energy`.
    """
    used = unrollings.as_asked if machine.variant.macros_wait_for_ports else unrollings
    columns, rows, *_ = machine.shape
    technology, cols = machine.technology, used.along(columns)
    summed, occupied = accumulated_rows(layer, used, columns, rows, machine.variant)
    added = occupied if macro.form.sums_occupied_rows else summed
    bits, inputs = float(macro.tree_bits), float(macro.rows)
    some, which = np.unique(added, return_inverse=True)
    tree = np.array([tree_pj(technology, bits, inputs, float(each)) for each in some])[which]
    cycle = cycle_energy(
        technology, macro, cols=cols, occupied_rows=occupied, tree_pj=tree,
        activity=machine.activity.of_weights(1.0 - layer.pruned_share),
    )  # fmt: skip
    cycles = layer.macs / (cols * used.along(rows)) * macro.passes
    return {name: part * cycles for name, part in cycle.items() if np.any(part)}
