"""Carbon per inference of published accelerators, from what their papers state.

An efficiency e [TOPS/W], a throughput p [TOPS], a density a [TOPS/mm2] and a process node give
energy, latency and area of a task of N operations, and with them its carbon in both scenarios.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from carbonopt.arrays import Floats
from carbonopt.carbon.die import node_points
from carbonopt.carbon.embodied import embodied_g
from carbonopt.carbon.operational import operational_g
from carbonopt.carbon.presets import CarbonPreset
from carbonopt.data.tables import load_facts, load_table
from carbonopt.errors import SpecError

CHIPS, SUITES, PUBLISHED_FAB = (
    "literature_chips.csv",
    "literature_suites.csv",
    "literature_fab.csv",
)
PUBLISHED = "carbonspot"
TEXTS = ("name", "type", "source")
NUMBERS = ("node_nm", "tops_per_w", "tops", "tops_per_mm2")
_OP_PER_TOP = 1e12
_FAB_PARTS = ("fab_energy", "fab_gas", "fab_material")


@dataclass(frozen=True)
class Suite:
    """A benchmark suite as one typical task.

    Parameters
    ----------
    name
        Name of the suite.
    op_per_task
        Operations N of one task, two for a multiply-accumulate [-].
    period_s
        Time P between two tasks [s].
    """

    name: str
    op_per_task: float
    period_s: float

    @property
    def title(self) -> str:
        """Name as a reader writes it.

        Examples
        --------
        >>> Suite("mlperf_tiny", 1.0, 1.0).title
        'MLPerf Tiny'
        """
        return self.name.replace("mlperf", "MLPerf").replace("_", " ").title().replace("Mlp", "MLP")


def load_suites(preset_name: str) -> list[Suite]:
    """Suites with the figures that go with a preset: CarbonSpot's own, or ours.

    Ours are geometric means over the networks of the suite: of two operations per
    multiply-accumulate, and of the rates.

    Examples
    --------
    >>> [suite.op_per_task for suite in load_suites("carbonspot")]
    [21071992.0, 6101039461.0]
    """
    facts = load_facts(SUITES)
    wanted = PUBLISHED if preset_name == PUBLISHED else "default"
    names = dict.fromkeys(key.split(".")[1] for key in facts if key.startswith(f"{wanted}."))
    return [
        Suite(name, facts[f"{wanted}.{name}.op_per_task"], 1.0 / facts[f"{wanted}.{name}.rate_hz"])
        for name in names
    ]


def load_chips() -> pd.DataFrame:
    """Read the shipped list of published accelerators, one row each.

    ``number_in_paper`` is the number in CarbonSpot's figure, 0 where it does not show the chip.
    """
    return load_table(CHIPS)


def read_chips(path: str | Path) -> pd.DataFrame:
    """Read accelerators from a CSV file of the user.

    Parameters
    ----------
    path
        File with the columns name, type, node_nm, tops_per_w, tops, tops_per_mm2 and source;
        others are kept as text.

    Raises
    ------
    SpecError
        All faults of the file, each with its line.
    """
    file = Path(path)
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns = list(reader.fieldnames or ())
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise SpecError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SpecError(f"{file}: got bytes that are no UTF-8 text, allowed: CSV") from error
    missing = [name for name in (*TEXTS, *NUMBERS) if name not in columns]
    if missing:
        raise SpecError(f"{file}:1: got no column {', '.join(missing)}, required: all of these")
    faults = [f"{file}:{line}: {fault}" for line, row in rows for fault in _row_faults(row)]
    names = [row["name"] for _, row in rows]
    faults += [
        f"{file}:{line}: name: got {row['name']} again, allowed: each chip once"
        for place, (line, row) in enumerate(rows)
        if row["name"] in names[:place]
    ]
    if faults or not rows:
        raise SpecError(faults or f"{file}:1: got no chip, required: at least one row")
    table = pd.DataFrame([row for _, row in rows])
    return table.astype(dict.fromkeys(NUMBERS, np.float64)).assign(number_in_paper=0.0)


def _row_faults(row: Mapping[str | None, str | None]) -> list[str]:
    """List what is wrong with one row."""
    if None in row or None in row.values():
        return ["got a row that does not fit the header's columns"]
    faults = [
        f"{name}: got nothing, required: a text" for name in TEXTS if not str(row[name]).strip()
    ]
    nodes = node_points("epa")[0]
    for name in NUMBERS:
        try:
            number = float(str(row[name]))
        except ValueError:
            number = math.nan
        if not 0 < number < math.inf:
            faults.append(f"{name}: got {row[name]!r}, allowed: a number above 0")
        elif name == "node_nm" and not nodes[0] <= number <= nodes[-1]:
            faults.append(f"{name}: got {number:g}, allowed: {nodes[0]:g} to {nodes[-1]:g} nm")
    return faults


def literature_carbon(chips: pd.DataFrame, suite: Suite, preset: CarbonPreset) -> pd.DataFrame:
    """Carbon of one task of a suite on every chip, in both scenarios.

    ``E = N / e``, ``t = N / p``, ``A = p / a``;
    ``C_CA = CI PUE E + (t / L) M(A)``, ``C_PA = CI PUE E + (P / L) M(A)``

    Parameters
    ----------
    chips
        Accelerators: `load_chips` or `read_chips` (n).
    suite
        The task and its period.
    preset
        Numbers of the carbon model. ``carbonspot`` takes its own table of fab carbon per area,
        yield 0.95 and no extension of a period that is missed; any other preset its fab model
        at the node of the chip, and no PA carbon where the chip is late.

    Returns
    -------
    pandas.DataFrame
        The rows of `chips` whose node the model covers, with ``energy_j``, ``latency_s``,
        ``area_mm2``, ``late``, ``operational_g``, ``embodied_ca_g``, ``embodied_pa_g``,
        ``carbon_ca_g`` and ``carbon_pa_g`` per task.

    Notes
    -----
    The area is that of a macro, a part of a die: there are no scribe lines around it, no
    package and no DRAM in the figures. Efficiencies are peak values at the papers' own
    operating points, mostly without the memory around the macro.

    References
    ----------
    CarbonSpot, IEEE TCAD 2025, doi 10.1109/TCAD.2025.3602746, experiment 1.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> tiny = load_suites("carbonspot")[0]
    >>> float(literature_carbon(load_chips(), tiny, load_preset("carbonspot"))["carbon_ca_g"][0])
    7.1818e-11
    """
    table = chips[chips["node_nm"].isin(_nodes(chips, preset))].reset_index(drop=True)
    table["energy_j"] = suite.op_per_task / (table["tops_per_w"] * _OP_PER_TOP)
    table["latency_s"] = suite.op_per_task / (table["tops"] * _OP_PER_TOP)
    table["area_mm2"] = table["tops"] / table["tops_per_mm2"]
    table["late"] = table["latency_s"] > suite.period_s
    device_g = _silicon_g(table["area_mm2"].to_numpy(), table["node_nm"].to_numpy(), preset)
    table["operational_g"] = operational_g(
        table["energy_j"].to_numpy(), preset.drawn_g_per_kwh, preset.pue
    )
    table["embodied_ca_g"] = device_g * table["latency_s"] / preset.lifetime_s
    table["embodied_pa_g"] = device_g * (suite.period_s / preset.lifetime_s)
    table["carbon_ca_g"] = table["operational_g"] + table["embodied_ca_g"]
    table["carbon_pa_g"] = table["operational_g"] + table["embodied_pa_g"]
    if preset.name != PUBLISHED:
        table.loc[table["late"], ["embodied_pa_g", "carbon_pa_g"]] = np.nan
    return table


def _nodes(chips: pd.DataFrame, preset: CarbonPreset) -> Floats:
    """Nodes of the chips that the preset has figures for [nm]."""
    if preset.name == PUBLISHED:
        return load_table(PUBLISHED_FAB)["node_nm"].to_numpy(np.float64)
    return np.unique(chips["node_nm"].to_numpy(np.float64))


def _silicon_g(area_mm2: Floats, node_nm: Floats, preset: CarbonPreset) -> Floats:
    """Carbon of the silicon of a part of a die, charged by area (n,) [g]."""
    if preset.name == PUBLISHED:
        table = load_table(PUBLISHED_FAB)
        per_node = dict(zip(table["node_nm"], table["fab_g_per_mm2"], strict=True))
        fab = np.array([per_node[node] for node in node_nm], dtype=np.float64)
        return np.asarray(area_mm2 * fab / preset.yield_fraction, dtype=np.float64)
    silicon = np.empty_like(area_mm2)
    for node in np.unique(node_nm):
        here = node_nm == node
        at_node = preset.at_node(float(node)).with_values(accounting="area")
        parts = embodied_g(area_mm2[here], 0.0, at_node)
        silicon[here] = sum(parts[part] for part in _FAB_PARTS)
    return silicon
