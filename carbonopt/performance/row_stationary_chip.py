"""The mapping that the Eyeriss chip would take of a layer: its control's rules, not the best."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import takewhile

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.data.tables import load_facts
from carbonopt.hardware.eyeriss import RowStationaryArray
from carbonopt.performance.row_stationary_search import COUNTED, account, geometry, widest

Sets = tuple[int, int, int, tuple[int, ...]]
"""Output rows of a PE set, sets over channels and over filters, geometry of such sets."""


def banks_of_a_row(shape: Ints, sizes: Floats, array: RowStationaryArray) -> int:
    """Return the banks that a row of outputs of one channel and the inputs under it take."""
    words = geometry(_with_padding(shape), sizes, 1)[4], int(shape[3])
    return sum(math.ceil(each / array.bank_words) for each in words)


def chip_mapping(shape: Ints, sizes: Floats, array: RowStationaryArray) -> tuple[int, ...]:
    """Return the mapping (m, n, e, p, q, r, t) that the chip would take.

    The least energy in the units that its designers published (16-bit words, no zeros, maps with
    their padding) of all mappings

    * that share evenly: n of the batch, m and p t of the filters, q r of the channels;
    * whose inputs and whose partial sums have whole banks of the buffer each;
    * whose inputs of one image take no more than one bank, unless one channel does;
    * that keep nine tenths of the PEs busy that any of them does.

    Parameters
    ----------
    shape, sizes
        A layer and an array, as the search reads them.
    array
        The same array, whose buffer has as many banks as `banks_of_a_row`.

    Notes
    -----
    The first two rules hold for all that is published of the chip, and the units are its
    designers' own. The last two were read off what VGG-16 did on it: see docs/validation/eyeriss.md
    for what of AlexNet and VGG-16 the rules give, and what they do not.

    References
    ----------
    .. [1] Y.-H. Chen et al., IEEE JSSC 52(1), 2017, section V and tables III, V, VI.
    .. [2] Y.-H. Chen et al., ISCA 2016, table IV (unit energies).
    """
    shape, unit = _with_padding(shape), _published_units()
    sets = sorted(_all_sets(shape, sizes), key=_busy, reverse=True)
    most = next(_busy(each) for each in sets if any(_shared_evenly(shape, array, each)))
    least = most * load_facts("eyeriss_chip.csv")["full_share"]
    found = (
        mapping
        for each in takewhile(lambda each: _busy(each) >= least, sets)
        for mapping in _shared_evenly(shape, array, each)
    )
    return min(found, key=lambda x: _energy(shape, sizes, unit, x))


def _with_padding(shape: Ints) -> Ints:
    """Return a layer whose inputs are all that its kernel reaches."""
    padded = shape.copy()
    for axis in (0, 1):
        reach = (shape[3 + axis] - 1) * shape[8 + axis] + (shape[6 + axis] - 1) * shape[10 + axis]
        padded[12 + axis] = reach + 1
    return padded


def _published_units() -> Floats:
    """Return what each thing that a mapping counts takes, cycles nothing (19,)."""
    units = load_facts("eyeriss_energy.csv")
    words = [units[level] for level in ("dram", "buffer", "noc", "rf") for _ in range(3)]
    return np.array([*words, units["mac"], 0.0, 1.0, 1.0, 0.0, 0.0, 0.0])


def _energy(shape: Ints, sizes: Floats, unit: Floats, mapping: tuple[int, ...]) -> float:
    """Return the energy of a mapping in units of a multiply-accumulate."""
    counted = account(shape, sizes, unit, np.array(mapping, dtype=np.int64))
    return float(counted[:COUNTED] @ unit[:COUNTED])


def _busy(sets: Sets) -> int:
    """Return the PEs that sets keep busy."""
    e, r, t, (rows, *_) = sets
    return rows * e * r * t


def _all_sets(shape: Ints, sizes: Floats) -> Iterator[Sets]:
    """Visit the PE sets that the array has room for, widest first."""
    for e in range(widest(shape, sizes), 0, -1):
        here = geometry(shape, sizes, e)
        for r in _divisors(int(shape[5]), here[3]):
            for t in _divisors(int(shape[1]), here[3] // r):
                yield e, r, t, here


def _shared_evenly(shape: Ints, array: RowStationaryArray, sets: Sets) -> Iterator[tuple[int, ...]]:
    """Visit the mappings with some PE sets that the rules allow, with the most filters in a PE."""
    e, r, t, (_, columns, _, _, words) = sets
    bank = array.bank_words
    options, b, k, f, c = array.options, *map(int, shape[[0, 1, 3, 5]])
    for q in _divisors(c // r, options.input_words // columns):
        inputs = q * r * words
        if q * r > 1 and inputs > bank:
            break
        room = min(options.psum_words, options.weight_words // (q * columns))
        for n in _divisors(b, b):
            left = array.banks - math.ceil(n * inputs / bank)
            for filters in _divisors(k // t, max(0, left * bank // (n * e * f * t))):
                p = max(_divisors(filters, room), default=0)
                if p:
                    yield filters * t, n, e, p, q, r, t


def _divisors(number: int, most: int) -> tuple[int, ...]:
    """Return the divisors of a number that are not larger than another, smallest first."""
    found = _all_divisors(number)
    return found[: bisect_right(found, most)]


@lru_cache(maxsize=4096)
def _all_divisors(number: int) -> tuple[int, ...]:
    """Return the divisors of a number, smallest first."""
    return tuple(each for each in range(1, number + 1) if number % each == 0)
