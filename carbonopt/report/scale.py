"""Which unit a column of numbers is shown in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carbonopt.units import UNITS, format_quantity


@dataclass(frozen=True)
class Scale:
    """How values of one column are shown: multiplied by `factor`, named with `unit`."""

    factor: float
    unit: str

    def label(self, name: str) -> str:
        """Return the name with its unit, as in ``energy [µJ]``."""
        return f"{name} [{self.unit}]" if self.unit else name


def common_scale(values: np.ndarray, unit: str) -> Scale:
    """Choose the unit that suits the typical value of a column.

    Parameters
    ----------
    values
        Values in `unit` (n,); only the positive ones count.
    unit
        Canonical unit, '' for none.

    Examples
    --------
    >>> common_scale(np.array([2e-6, 5e-6]), "J").unit
    'µJ'
    >>> common_scale(np.array([0.2]), "mm2")
    Scale(factor=1.0, unit='mm²')
    """
    positive = values[np.isfinite(values) & (values > 0)]
    if not unit or not positive.size:
        return Scale(1.0, unit)
    typical = float(np.exp(np.log(positive).mean()))
    name = format_quantity(typical, unit).split(" ")[-1]
    return Scale(1.0 / UNITS[unit][name], spelled(name))


def quantity(value: float, unit: str, digits: int = 4) -> str:
    """Return a value in the unit that suits it, as a reader would write it.

    Examples
    --------
    >>> quantity(2.34567e-6, "J"), quantity(float("nan"), "s")
    ('2.346 µJ', '-')
    """
    return spelled(format_quantity(value, unit, digits)) if np.isfinite(value) else "-"


def spelled(text: str) -> str:
    """Replace the plain letters of a unit by its signs.

    Examples
    --------
    >>> spelled("3 uJ"), spelled("0.2 mm2")
    ('3 µJ', '0.2 mm²')
    """
    number, _, unit = text.rpartition(" ")
    unit = f"µ{unit[1:]}" if unit.startswith("u") else unit
    return f"{number} {unit.replace('mm2', 'mm²')}".strip()
