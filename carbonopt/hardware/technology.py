"""Energy, area and delay of gates, and of the adders made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np

from carbonopt.arrays import Number
from carbonopt.data.tables import load_facts


@dataclass(frozen=True)
class Technology:
    """Capacitance, area and delay per gate at one node and supply, or (n,) of many.

    Parameters
    ----------
    nand_pf, xor_pf, flipflop_pf
        Switched capacitance [pF].
    nand_mm2, xor_mm2, flipflop_mm2
        Area [mm2].
    nand_ns, xor_ns
        Delay [ns].
    supply_v
        Supply voltage [V].
    node_nm
        Technology node [nm].
    converter_area, converter_energy, converter_delay
        What the constants of ADCs and DACs, fitted at the node of the gates' table, are
        multiplied by [-]; their energy also goes with the square of the supply.
    """

    nand_pf: Number
    xor_pf: Number
    flipflop_pf: Number
    nand_mm2: Number
    xor_mm2: Number
    flipflop_mm2: Number
    nand_ns: Number
    xor_ns: Number
    supply_v: Number
    node_nm: Number
    converter_area: Number = 1.0
    converter_energy: Number = 1.0
    converter_delay: Number = 1.0

    def scaled(self, area: Number, delay: Number, energy: Number) -> Technology:
        """Return a technology whose gates have so many times the area, delay and energy."""
        return replace(
            self,
            nand_mm2=self.nand_mm2 * area,
            xor_mm2=self.xor_mm2 * area,
            flipflop_mm2=self.flipflop_mm2 * area,
            nand_ns=self.nand_ns * delay,
            xor_ns=self.xor_ns * delay,
            nand_pf=self.nand_pf * energy,
            xor_pf=self.xor_pf * energy,
            flipflop_pf=self.flipflop_pf * energy,
        )

    @property
    def flipflop_pj(self) -> Number:
        """Energy to write one flip-flop: C V^2 [pJ/bit]."""
        return self.flipflop_pf * self.supply_v**2

    @property
    def adder_pj(self) -> Number:
        """Energy of a 1-bit full adder, three NAND and two XOR [pJ]."""
        return (3 * self.nand_pf + 2 * self.xor_pf) * self.supply_v**2

    @property
    def half_adder_pj(self) -> Number:
        """Energy of a full adder with one input idle, two XOR [pJ]."""
        return 2 * self.xor_pf * self.supply_v**2

    @property
    def adder_mm2(self) -> Number:
        """Area of a 1-bit full adder [mm2]."""
        return 3 * self.nand_mm2 + 2 * self.xor_mm2

    @property
    def sum_ns(self) -> Number:
        """Delay from an input of a full adder to its sum [ns]."""
        return 2 * self.xor_ns

    @property
    def carry_ns(self) -> Number:
        """Delay from an input of a full adder to its carry [ns]."""
        return self.xor_ns + 2 * self.nand_ns

    @property
    def ripple_ns(self) -> Number:
        """Delay from carry to carry of a full adder [ns]."""
        return 2 * self.nand_ns


@cache
def load_technology() -> Technology:
    """Return the 28 nm gates of CarbonSpot (table technology_28nm.csv)."""
    return Technology(**load_facts("technology_28nm.csv"))


def tree_adders(bits: Number, inputs: Number) -> Number:
    """Count 1-bit full adders of a tree that sums `inputs` words of `bits` bits.

    n (p + 1) - (p + log2 n + 1), for n a power of two.

    Examples
    --------
    >>> float(tree_adders(8, 2))
    8.0
    """
    adders: Number = inputs * (bits + 1) - (bits + np.log2(inputs) + 1)
    return adders


def place_value_adders(operands: Number, bits: Number) -> Number:
    """Count 1-bit full adders that sum `operands` words of `bits` bits of rising place value.

    p (m - 1) + m (log2 m - 1/2), none for one operand. The published form, for m a power of two;
    between powers of two it is taken as it stands. It charges m log2(m) / 2 adders more than the
    overlapping bits need.

    Examples
    --------
    >>> float(place_value_adders(8, 4.5))
    51.5
    """
    m = operands
    return np.where(m > 1, bits * (m - 1) + m * (np.log2(m) - 0.5), 0.0)


def tree_ns(technology: Technology, bits: Number, inputs: Number) -> Number:
    """Delay of a ripple-carry adder tree over `inputs` words, a power of two, of `bits` bits [ns].

    (log2 n - 1) t_sum + t_carry + (p + log2 n - 2) t_ripple, none for one input.
    """
    depth = np.log2(inputs)
    stages = (depth - 1) * technology.sum_ns + technology.carry_ns
    return np.where(inputs > 1, stages + (bits + depth - 2) * technology.ripple_ns, 0.0)


def place_value_ns(technology: Technology, operands: Number, rippled: Number) -> Number:
    """Delay of adders over `operands` place values whose last carry ripples so far [ns].

    (ceil(log2 m) - 1) t_sum + t_carry + r t_ripple, none for one operand.

    Parameters
    ----------
    operands
        Words of rising place value.
    rippled
        Bits that the last carry ripples through.
    """
    stages = np.ceil(np.log2(operands)) - 1
    delay = stages * technology.sum_ns + technology.carry_ns + rippled * technology.ripple_ns
    return np.where(operands > 1, delay, 0.0)


@lru_cache(maxsize=65536)
def tree_pj(technology: Technology, bits: float, inputs: float, used: float) -> float:
    """Energy of one sum in an adder tree of which only `used` inputs are active [pJ].

    Active subtrees switch as full adders; where an active subtree meets an idle one, its sum
    ripples through half-active adders.

    Parameters
    ----------
    bits
        Width of the inputs.
    inputs
        Physical inputs, a power of two.
    used
        Active inputs; may be fractional (mean over partly filled passes).

    References
    ----------
    .. [1] CarbonSpot, cost_model/cost_model.py, adder-tree energy.
    """
    if used >= inputs:
        return float(tree_adders(bits, inputs) * technology.adder_pj)
    full = half = 0.0
    rest, size = used, float(inputs)
    while rest > 0:
        size /= 2
        depth = int(math.log2(size)) if size > 0 else 0
        if rest <= 1 and size == 1:
            half += bits
            break
        if rest > size:
            full += size * (bits + 1) - (bits + depth + 1) + bits + depth
            rest -= size
        elif rest < size:
            half += bits + depth
        else:
            full += size * (bits + 1) - (bits + depth + 1)
            half += bits + depth
            break
    return float(full * technology.adder_pj + half * technology.half_adder_pj)
