"""One inference on one design or on many, and what its deployment asks of the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from carbonopt.arrays import Floats, Number
from carbonopt.carbon.design_node import COLUMN, preset_at_nodes
from carbonopt.carbon.endurance import Wear, worn_preset
from carbonopt.carbon.presets import Activity, CarbonPreset
from carbonopt.carbon.scenario import (
    carbon_ca,
    carbon_pa,
    initiation_interval_s,
    operation_g,
    share_ca,
    share_pa,
    total_ca,
    total_pa,
)
from carbonopt.errors import SpecError
from carbonopt.units import UNITS

_Carbon = TypeVar("_Carbon")
_BYTE_PER_GB = UNITS["byte"]["GiB"]


@dataclass(frozen=True)
class Deployment:
    """What the deployment of a network asks of a device.

    Parameters
    ----------
    network
        Name, as in the columns ``energy_j@network``.
    dram_byte
        Memory beside the chip [byte].
    period_s
        Time between two inferences, None where it is not known [s].
    """

    network: str
    dram_byte: float
    period_s: float | None

    @property
    def dram_gb(self) -> float:
        """Memory beside the chip [GB of 2^30 byte]."""
        return self.dram_byte / _BYTE_PER_GB

    @property
    def activities(self) -> tuple[Activity, ...]:
        """Activities that can be judged: PA where the period is known."""
        return ("CA",) if self.period_s is None else ("CA", "PA")


@dataclass(frozen=True)
class Task:
    """One network on one design, or on several: numbers or arrays (n,).

    Parameters
    ----------
    deployment
        The network.
    energy_j, latency_s
        Energy E that a task switches, and its latency t [J], [s].
    area_mm2
        Die [mm2].
    idle_w
        Leakage of the device [W].
    cell_inferences
        Inferences after which the cells of the device are worn out; infinite where they are not.
    node_nm
        Node of the die; the preset's where there is none, or it is not a number [nm].

    Notes
    -----
    The device leaks while it computes as well: a task draws ``E + f P_idle tau``, with the
    preset's factor f on leakage and the initiation interval tau, and in PA ``f P_idle`` until the
    next one.
    """

    deployment: Deployment
    energy_j: Number
    latency_s: Number
    area_mm2: Number
    idle_w: Number = 0.0
    cell_inferences: Number = np.inf
    node_nm: Number | None = None

    @classmethod
    def of(
        cls, deployment: Deployment, columns: Mapping[str, Number] | pd.DataFrame, suffix: str = ""
    ) -> Task:
        """Take a task out of metrics, or out of a table whose columns have a suffix."""
        energy_j, latency_s = (
            np.asarray(columns[f"{name}{suffix}"], dtype=float)
            for name in ("energy_j", "latency_s")
        )
        area_mm2 = np.asarray(columns["area_mm2"], dtype=float)
        idle_w = np.asarray(columns["idle_w"], dtype=float) if "idle_w" in columns else 0.0
        node_nm = np.asarray(columns[COLUMN], dtype=float) if COLUMN in columns else None
        life: Number = np.inf
        if (worn := f"cell_inferences{suffix}") in columns:
            given = np.asarray(columns[worn], dtype=float)
            life = np.where(np.isnan(given), np.inf, given)
        return cls(deployment, energy_j, latency_s, area_mm2, idle_w, life, node_nm)

    def parts_g(self, activity: Activity, preset: CarbonPreset) -> dict[str, Floats]:
        """Carbon of the task by part, each (n,) or with samples in the preset (m, n) [g].

        Raises
        ------
        SpecError
            PA is asked for and no period is known.
        """
        return self._charged(activity, preset, carbon_ca, carbon_pa)

    def carbon_g(self, activity: Activity, preset: CarbonPreset) -> Floats:
        """Carbon of the task, the sum over `parts_g` [g]; faster where samples are many.

        Raises
        ------
        SpecError
            PA is asked for and no period is known.
        """
        return self._charged(activity, preset, total_ca, total_pa)

    def _charged(
        self,
        activity: Activity,
        preset: CarbonPreset,
        in_ca: Callable[..., _Carbon],
        in_pa: Callable[..., _Carbon],
    ) -> _Carbon:
        """Charge the task by the rule of its activity, under the preset of this device."""
        preset = self._own(activity, preset)
        device, dram_gb = self._device(preset), self.deployment.dram_gb
        if activity == "CA":
            return in_ca(*device, dram_gb, preset)
        return in_pa(*device, self._period_s(), dram_gb, preset, idle_w=self.idle_w)

    def terms(self, activity: Activity, preset: CarbonPreset) -> tuple[Floats, Floats, Floats]:
        """Carbon of running [g], of waiting [g], and the share of the device that is used up [-].

        ``C = running + waiting + share M``, with the carbon M of making the device, over the
        lifetime of the preset: where cells wear out, that of `worn`.

        Raises
        ------
        SpecError
            PA is asked for and no period is known.
        """
        energy_j, latency_s, _ = self._device(preset)
        running = operation_g(energy_j, preset)
        if activity == "CA":
            return running, np.zeros(()), share_ca(latency_s, None, preset)
        share, idle_j = share_pa(latency_s, self._period_s(), None, self.idle_w, preset)
        return running, operation_g(idle_j, preset), share

    def wear(self, activity: Activity, preset: CarbonPreset) -> Wear:
        """Return how long the device lasts: as long as it is used, or as its cells.

        Raises
        ------
        SpecError
            PA is asked for and no period is known.
        """
        if activity == "CA":
            share = share_ca(self.latency_s, None, preset)
        else:
            share, _ = share_pa(self.latency_s, self._period_s(), None, 0.0, preset)
        return Wear(np.asarray(preset.lifetime_s), self.cell_inferences * share * preset.lifetime_s)

    def worn(self, activity: Activity, preset: CarbonPreset) -> CarbonPreset:
        """Return the preset with a life that ends when the cells of the device are worn out.

        Raises
        ------
        SpecError
            PA is asked for and no period is known.
        """
        if np.isinf(self.cell_inferences).all():
            return preset
        return worn_preset(preset, self.wear(activity, preset))

    def _own(self, activity: Activity, preset: CarbonPreset) -> CarbonPreset:
        """Return the preset of this device: its node, and a life that its cells may end."""
        made = preset if self.node_nm is None else preset_at_nodes(preset, self.node_nm)
        return self.worn(activity, made)

    def _device(self, preset: CarbonPreset) -> tuple[Number, Number, Number]:
        """Energy with the leakage in the interval [J], latency [s], die [mm2]."""
        interval_s = initiation_interval_s(self.latency_s, preset)
        leaked_j = preset.leakage_factor * self.idle_w * interval_s
        return self.energy_j + leaked_j, self.latency_s, self.area_mm2

    def _period_s(self) -> float:
        """Period, which PA needs [s]."""
        if self.deployment.period_s is None:
            fault = "got no period, allowed: a time, which PA needs"
            raise SpecError(f"period: {self.deployment.network}: {fault}")
        return self.deployment.period_s
