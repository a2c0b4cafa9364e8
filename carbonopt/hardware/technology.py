"""Energy, area and delay of gates, and of the adders made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from carbonopt.data.tables import load_facts


@dataclass(frozen=True)
class Technology:
    """Capacitance, area and delay per gate at one node and supply.

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
    """

    nand_pf: float
    xor_pf: float
    flipflop_pf: float
    nand_mm2: float
    xor_mm2: float
    flipflop_mm2: float
    nand_ns: float
    xor_ns: float
    supply_v: float

    @property
    def flipflop_pj(self) -> float:
        """Energy to write one flip-flop: C V^2 [pJ/bit]."""
        return self.flipflop_pf * self.supply_v**2

    @property
    def adder_pj(self) -> float:
        """Energy of a 1-bit full adder, three NAND and two XOR [pJ]."""
        return (3 * self.nand_pf + 2 * self.xor_pf) * self.supply_v**2

    @property
    def half_adder_pj(self) -> float:
        """Energy of a full adder with one input idle, two XOR [pJ]."""
        return 2 * self.xor_pf * self.supply_v**2

    @property
    def adder_mm2(self) -> float:
        """Area of a 1-bit full adder [mm2]."""
        return 3 * self.nand_mm2 + 2 * self.xor_mm2

    @property
    def sum_ns(self) -> float:
        """Delay from an input of a full adder to its sum [ns]."""
        return 2 * self.xor_ns

    @property
    def carry_ns(self) -> float:
        """Delay from an input of a full adder to its carry [ns]."""
        return self.xor_ns + 2 * self.nand_ns

    @property
    def ripple_ns(self) -> float:
        """Delay from carry to carry of a full adder [ns]."""
        return 2 * self.nand_ns


@cache
def load_technology() -> Technology:
    """Return the 28 nm gates of CarbonSpot (table technology_28nm.csv)."""
    return Technology(**load_facts("technology_28nm.csv"))


def tree_adders(bits: float, inputs: int) -> float:
    """Count 1-bit full adders of a tree that sums `inputs` words of `bits` bits.

    n (p + 1) - (p + log2 n + 1), for n a power of two.

    Examples
    --------
    >>> tree_adders(8, 2)
    8.0
    """
    return inputs * (bits + 1) - (bits + math.log2(inputs) + 1)


def tree_pj(technology: Technology, bits: float, inputs: int, used: float) -> float:
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
        return tree_adders(bits, inputs) * technology.adder_pj
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
    return full * technology.adder_pj + half * technology.half_adder_pj
