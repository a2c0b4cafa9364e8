"""From the keys of a scenario to a carbon preset: those of a problem file, those of a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from carbonopt.carbon.deployment import deployed_preset
from carbonopt.carbon.memory import memory_names
from carbonopt.carbon.presets import CHOICES, CarbonPreset, preset_names
from carbonopt.errors import ModelRangeError, SpecError
from carbonopt.spec.fields import Vocabulary
from carbonopt.spec.load import Document, Place, load_model, plain_scalar
from carbonopt.spec.scenario import ScenarioSpec

PRESET_FIELDS = MappingProxyType(
    {
        "lifetime": "lifetime_s",
        "initiation_interval": "interval_ratio",
        "use_intensity": "use_g_per_kwh",
        "decarbonisation": "decarbonisation_per_year",
        "fab_intensity": "fab_g_per_kwh",
        "node": "node_nm",
        "abatement": "abatement_percent",
        "fab_yield": "yield_fraction",
        "defect_density": "defects_per_mm2",
        "reticle": "reticle_rule",
        "package": "package_g",
        "package_energy": "package_kwh_per_mm2",
        "package_area": "package_area_ratio",
        "board": "board_g",
        "design": "design_g",
        "end_of_life": "end_of_life_g",
    }
)
"""Keys of the scenario that have another name than the argument they become."""


def scenario_words() -> dict[str, tuple[str, ...]]:
    """Words that a key of a scenario allows, by key.

    Examples
    --------
    >>> scenario_words()["reticle"]
    ('met', 'free')
    """
    ruled = ("hardware", "late_rule", "yield_model", "accounting", "reticle", "carrier", "stacking")
    words = {key: CHOICES[PRESET_FIELDS.get(key, key)] for key in ruled}
    return {**words, "memory": tuple(memory_names("dram"))}


def preset_of(scenario: ScenarioSpec, base: CarbonPreset | None = None) -> CarbonPreset:
    """Replace what a scenario says in a preset.

    Parameters
    ----------
    scenario
        The keys.
    base
        What stands in where no preset is named.

    Raises
    ------
    SpecError
        Every fault, each beginning with its key.
    """
    given = scenario.model_dump(exclude_none=True)
    if base is not None and "preset" not in scenario.model_fields_set:
        given["preset"] = base
    keys = {PRESET_FIELDS.get(key, key): key for key in given}
    try:
        return deployed_preset(**{field: given[key] for field, key in keys.items()})
    except (SpecError, ModelRangeError) as error:
        faults = []
        for fault in getattr(error, "faults", [str(error)]):
            name, _, rest = fault.removeprefix("carbon preset: ").partition(": ")
            faults.append(f"{keys[name]}: {rest}" if name in keys else fault)
        raise SpecError(faults) from None


@dataclass
class _Options(Document):
    """Options of a command in place of the keys of a file."""

    def fault(self, place: Place, message: str) -> str:
        """Put the option before a message."""
        return f"{option_of(str(place[0]))}: {message}"


def option_of(key: str) -> str:
    """Name the option of a command that stands for a key.

    Examples
    --------
    >>> option_of("fab_region")
    '--fab-region'
    """
    return f"--{key.replace('_', '-')}"


def preset_of_options(options: Mapping[str, str], base: CarbonPreset | None = None) -> CarbonPreset:
    """Replace what options of a command say in a preset.

    Parameters
    ----------
    options
        Key of a scenario to text.
    base
        What stands in where no preset is named.

    Raises
    ------
    SpecError
        Every fault, each beginning with its option.

    Examples
    --------
    >>> preset_of_options({"lifetime": "2d", "package": "0g"}).lifetime_s
    172800.0
    """
    words = Vocabulary(presets=tuple(preset_names()), scenario_words=scenario_words())
    texts = {key: plain_scalar(text) for key, text in options.items()}
    empty = [key for key, value in texts.items() if value is None]
    faults = [f"{option_of(key)}: got nothing, allowed: a value" for key in empty]
    data = {key: value for key, value in texts.items() if value is not None}
    try:
        scenario, _ = load_model(
            Path(), ScenarioSpec, words, document=_Options(Path(), data=data, faults=faults)
        )
        return preset_of(scenario, base)
    except SpecError as error:
        told = [_as_option(fault, options) for fault in error.faults]
    sound = {key: text for key, text in options.items() if not _named(option_of(key), told)}
    if len(sound) < len(options):
        try:
            preset_of_options(sound, base)
        except SpecError as error:
            told += [fault for fault in error.faults if fault not in told]
    raise SpecError(told)


def _as_option(fault: str, options: Mapping[str, str]) -> str:
    """Put the option in place of its key."""
    key, _, rest = fault.partition(": ")
    return f"{option_of(key)}: {rest}" if key in options else fault


def _named(option: str, faults: Sequence[str]) -> bool:
    """Whether a fault is that of an option."""
    return any(fault.startswith(f"{option}: ") for fault in faults)
