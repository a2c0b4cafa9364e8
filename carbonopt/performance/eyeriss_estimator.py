"""The published energy estimator for Eyeriss-like arrays, in units of one 16-bit MAC."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from carbonopt.arrays import Floats
from carbonopt.data.tables import load_facts
from carbonopt.errors import ModelRangeError
from carbonopt.workload.compression import NETWORK_KNOBS, compressed, parse_settings
from carbonopt.workload.layer import DIMS, Layer
from carbonopt.workload.network import Network

LEVELS = ("DRAM", "buffer", "NoC", "RF")
TYPES = ("weights", "ifmap", "psum")
_UNITS = ("dram", "buffer", "noc", "rf")


@dataclass(frozen=True)
class Shapes:
    """What the estimator reads of n layers; every array (n,).

    Parameters
    ----------
    dense
        Fully connected layers: one output position.
    images
        Passes over the layer that share nothing: inputs of a batch, and groups.
    inputs, outputs
        Channels of one group.
    kernel_height, kernel_width
        Of the kernel; of a fully connected layer the side of its ifmap.
    map_height, map_width
        Of the padded ifmap.
    output_height, output_width
        Of the ofmap.
    weight_bits, input_bits
        Precisions [bit].
    kept_share
        Share of the weights that are not pruned.
    """

    dense: Floats
    images: Floats
    inputs: Floats
    outputs: Floats
    kernel_height: Floats
    kernel_width: Floats
    map_height: Floats
    map_width: Floats
    output_height: Floats
    output_width: Floats
    weight_bits: Floats
    input_bits: Floats
    kept_share: Floats


@dataclass(frozen=True)
class Estimate:
    """Normalised energy of n layers, in units of one 16-bit multiply-accumulate.

    Parameters
    ----------
    names
        Of the layers (n,).
    macs
        Multiply-accumulates of weights that are left (n,).
    compute
        Energy of multiply-accumulates (n,).
    data
        Energy of accesses by level and data type, see `LEVELS` and `TYPES` (4, 3, n).
    """

    names: tuple[str, ...]
    macs: Floats
    compute: Floats
    data: Floats

    @property
    def by_layer(self) -> Floats:
        """Energy of each layer (n,)."""
        return np.asarray(self.compute + self.data.sum(axis=(0, 1)))

    @property
    def total(self) -> float:
        """Energy of all layers."""
        return float(self.by_layer.sum())

    @property
    def by_level(self) -> dict[str, Floats]:
        """Energy of compute and of each level, by layer (n,)."""
        return {"compute": self.compute, **dict(zip(LEVELS, self.data.sum(axis=1), strict=True))}

    @property
    def by_type(self) -> dict[str, Floats]:
        """Energy of compute and of each data type, by layer (n,)."""
        return {"compute": self.compute, **dict(zip(TYPES, self.data.sum(axis=0), strict=True))}

    def describe(self) -> dict[str, Any]:
        """Return totals, and every entry by layer, as nested names and numbers."""
        layers = [
            {
                "name": name,
                "macs": float(self.macs[i]),
                "energy": float(self.by_layer[i]),
                "compute": float(self.compute[i]),
                "accesses": {
                    level: {kind: float(self.data[v, t, i]) for t, kind in enumerate(TYPES)}
                    for v, level in enumerate(LEVELS)
                },
            }
            for i, name in enumerate(self.names)
        ]
        return {
            "energy": self.total,
            "by_level": {name: float(each.sum()) for name, each in self.by_level.items()},
            "by_type": {name: float(each.sum()) for name, each in self.by_type.items()},
            "layers": layers,
        }


def estimate(network: Network, rows: int = 12, cols: int = 14) -> Estimate:
    """Estimate the energy of a network on an Eyeriss-like array, in units of a 16-bit MAC.

    E = MACs (q_w/16) (q_a/16) + sum over levels and data types of accesses x unit energy x q/16,
    with the accesses of `layer_accesses` and the bits and pruned shares of the layers.

    Parameters
    ----------
    network
        Its layers say their bits and which share of the weights is pruned.
    rows, cols
        Processing elements of the array.

    Raises
    ------
    ModelRangeError
        An array without processing elements; bits outside 1 to 16; a pruned share outside [0, 1).

    References
    ----------
    .. [1] Energy-Estimator-for-Eyeriss-like-Architecture, the public estimator.
    .. [2] Y.-H. Chen et al., ISCA 2016, table IV (unit energies, table eyeriss_energy.csv).

    Examples
    --------
    >>> from carbonopt.workload.load import load_network
    >>> bits = {"weight_bits": 16, "activation_bits": 16}
    >>> estimate(at_bits(ungrouped(load_network("alexnet")), bits)).total
    19413479256.0
    """
    _check(network, rows, cols)
    shapes = layer_shapes(network)
    facts = load_facts("eyeriss_energy.csv")
    macs, accesses = layer_accesses(shapes, rows, cols)
    weight, activation = (
        bits / facts["word_bits"] for bits in (shapes.weight_bits, shapes.input_bits)
    )
    unit = np.array([facts[name] for name in _UNITS])
    data = accesses * unit[:, None, None] * np.stack([weight, activation, activation])
    compute = macs * facts["mac"] * weight * activation
    return Estimate(tuple(layer.name for layer in network.layers), macs, compute, data)


def _check(network: Network, rows: int, cols: int) -> None:
    """Refuse an array, bits and pruned shares that the estimator does not cover."""
    faults = [
        f"{name}: got {size}, allowed: whole numbers from 1"
        for name, size in (("rows", rows), ("cols", cols))
        if size < 1
    ]
    for layer in network.layers:
        for name, knob, value in (
            ("weight bits", "weight_bits", layer.weight_bits),
            ("input bits", "activation_bits", layer.input_bits),
            ("pruned share", "pruned_share", layer.pruned_share),
        ):
            if not NETWORK_KNOBS[knob].holds(value):
                allowed = NETWORK_KNOBS[knob].allowed
                faults.append(f"layer {layer.name!r}: {name}: got {value:g}, allowed: {allowed}")
    if faults:
        raise ModelRangeError("\n".join(faults))


def layer_accesses(shapes: Shapes, rows: int, cols: int) -> tuple[Floats, Floats]:
    """Count multiply-accumulates (n,) and accesses by level and data type (4, 3, n).

    With replic = max(1, floor(R / k_h)) and fold = ceil(E / C) ceil(k_h / R); for square maps
    and kernels up to R rows these are the published equations (docs/concepts/eyeriss.md has all).

    Notes
    -----
    The published equations charge no weights to the NoC where a kernel has more rows than the
    array (replic = 0). Here such a kernel is folded: it takes the array ceil(k_h / R) times.
    """
    s = shapes
    replic = np.maximum(np.floor(rows / s.kernel_height), 1.0)
    fold = np.ceil(s.output_height / cols) * np.ceil(s.kernel_height / rows)
    fits = replic >= fold
    pairs, positions = s.inputs * s.outputs, s.output_height * s.output_width
    weights = s.kernel_height * s.kernel_width * pairs * s.kept_share
    macs = weights * positions
    slid = s.kernel_height * s.output_height * s.map_width  # rows of the ifmap that PEs take in
    ifmap = s.map_height * s.map_width * s.inputs
    ofmap = positions * s.outputs
    moved = np.array([
        [weights, ifmap, ofmap],
        [weights, np.where(fits, ifmap, ifmap * s.outputs), 2 * ofmap * (s.inputs - 1)],
        [
            np.where(fits, weights * s.output_height, weights * replic * cols),
            np.where(fits, np.floor(replic / fold) * slid * s.inputs, slid * pairs),
            (s.kernel_height - 1) * positions * pairs,
        ],
        [
            macs,
            slid * pairs,
            2 * (s.kernel_width - 1) * s.kernel_height * positions * pairs,
        ],
    ])  # fmt: skip
    dense = _dense_accesses(shapes, weights, cols * replic)
    return macs * s.images, np.where(s.dense > 0, dense, moved) * s.images


def _dense_accesses(s: Shapes, weights: Floats, taking: Floats) -> Floats:
    """Count the accesses of fully connected layers, of which `taking` PEs take each input."""
    pairs, side = s.inputs * s.outputs, s.kernel_height
    inputs = side * s.kernel_width * s.inputs
    return np.array([
        [weights, inputs, s.outputs],
        [weights, inputs, 2 * (s.inputs - 1) * s.outputs],
        [weights, inputs * taking, (side - 1) * pairs],
        [weights, inputs * s.outputs, 2 * (s.kernel_width - 1) * side * pairs],
    ])  # fmt: skip


def layer_shapes(network: Network) -> Shapes:
    """Return what the estimator reads of each layer.

    The padded ifmap is the least H + 2 p, p whole, that the kernel's reach fits in. A fully
    connected layer behind one convolution has its ifmap's side where the inputs per channel are a
    square; every other one has 1. Matrix products of several rows are 1 x 1 convolutions over them,
    one below the other; each group, and each input of a batch, is a layer of its own.
    """
    columns: list[list[float]] = []
    for layer in network.layers:
        b, k, g, ox, oy, c, fx, fy = layer.sizes
        dense = layer.kind != "conv" and b == ox == oy == 1
        height, width = (
            _padded(out, kernel, layer.stride[axis], layer.dilation[axis], layer.input_size[axis])
            for axis, out, kernel in ((1, oy, fy), (0, ox, fx))
        )
        if layer.kind != "conv" and not dense:
            b, oy, height = 1, b * oy, b * oy
        if dense and (side := _side(network, layer)) > 1:
            c, fx, fy, height, width = c // side**2, side, side, side, side
        columns.append([
            dense, b * g, c, k, fy, fx, height, width, oy, ox,
            layer.weight_bits, layer.input_bits, 1 - layer.pruned_share,
        ])  # fmt: skip
    return Shapes(*np.array(columns, dtype=np.float64).reshape(-1, 13).T)


def _padded(outputs: int, kernel: int, stride: int, dilation: int, size: int) -> int:
    """Return the extent of the padded ifmap along one axis."""
    reach = (outputs - 1) * stride + (kernel - 1) * dilation + 1
    return size + 2 * max(0, -(-(reach - size) // 2))


def _side(network: Network, layer: Layer) -> int:
    """Return the side of the ifmap that a fully connected layer flattens, 1 where unknown."""
    if layer.kind != "gemm" or len(layer.predecessors) != 1:
        return 1
    before = network.layers[layer.predecessors[0]]
    _, k, g, *_ = before.sizes
    if before.kind != "conv" or layer.loops["C"] % (k * g):
        return 1
    side = math.isqrt(layer.loops["C"] // (k * g))
    return side if side**2 * k * g == layer.loops["C"] else 1


def ungrouped(network: Network) -> Network:
    """Return a network whose convolutions have one group, as the published AlexNet has.

    A layer of G groups becomes one of G times the channels: G times the weights and MACs.
    """
    layers = []
    for layer in network.layers:
        sizes = dict(layer.loops)
        if layer.kind == "conv":
            sizes |= {"K": sizes["K"] * sizes["G"], "C": sizes["C"] * sizes["G"], "G": 1}
        in_order: Any = tuple(sizes[dim] for dim in DIMS)
        layers.append(dataclasses.replace(layer, sizes=in_order))
    return dataclasses.replace(network, layers=tuple(layers))


def at_bits(network: Network, settings: Mapping[str, object]) -> Network:
    """Return a network with other bits and pruned shares, as the estimator takes them.

    Activation bits are those of a layer's ifmap, partial sums and ofmap, whatever its neighbours
    have: each layer stands alone in `carbonopt.workload.compression.compressed`.

    Parameters
    ----------
    network
        Any.
    settings
        Such as ``weight_bits`` for all layers, or ``weight_bits@stem`` for one, which goes first.

    Raises
    ------
    SpecError
        Every setting of no layer, and every value outside its range.
    """
    alone = [dataclasses.replace(layer, predecessors=()) for layer in network.layers]
    chosen, known = parse_settings(network, settings)
    found = compressed(dataclasses.replace(network, layers=tuple(alone)), chosen, known)
    layers = (
        dataclasses.replace(layer, predecessors=before.predecessors)
        for layer, before in zip(found.layers, network.layers, strict=True)
    )
    return dataclasses.replace(network, layers=tuple(layers))
