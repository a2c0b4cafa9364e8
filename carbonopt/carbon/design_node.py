"""Designs of several process nodes under one preset."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from carbonopt.carbon.presets import CarbonPreset

COLUMN = "node_nm"


def preset_at_nodes(preset: CarbonPreset, node_nm: ArrayLike) -> CarbonPreset:
    """Return a preset whose fab makes each design at its own node.

    A die without a node of its own is made at that of the preset.

    Parameters
    ----------
    preset
        Each of its numbers one number, or samples (m, 1).
    node_nm
        Node of each design, a scalar or (n,); not a number where it has none of its own [nm].

    Raises
    ------
    SpecError
        A node outside the table.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> preset_at_nodes(load_preset("default"), [28.0, 65.0]).defects_per_mm2.tolist()
    [0.0007, 0.0005]
    """
    nodes = np.asarray(node_nm, dtype=np.float64)
    plain = np.isnan(nodes)
    return preset if plain.all() else preset.at_node(np.where(plain, preset.node_nm, nodes)[()])


def preset_of_designs(
    preset: CarbonPreset, columns: Mapping[str, float] | pd.DataFrame
) -> CarbonPreset:
    """Return the preset of metrics, or of a table (n), whose designs may have a node of their own.

    Where there is no column ``node_nm``, dies are made at the node of the preset.
    """
    return preset_at_nodes(preset, np.asarray(columns[COLUMN])) if COLUMN in columns else preset
