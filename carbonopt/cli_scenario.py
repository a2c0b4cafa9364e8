"""The keys of a scenario as options of commands: one list, that of the problem files."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from carbonopt.carbon.presets import preset_names
from carbonopt.problem.scenario import option_of, scenario_words
from carbonopt.spec.scenario import scenario_keys

_DEST = "scenario_"


def add_scenario_options(parser: ArgumentParser) -> None:
    """Add an option for every key of a scenario."""
    group = parser.add_argument_group("scenario, as in a problem file")
    words = {**scenario_words(), "preset": tuple(preset_names())}
    for key, (about, example) in scenario_keys().items():
        few = words.get(key, ())
        listed = f": {', '.join(few)}" if 0 < len(few) < 6 else ""
        about = f"{about}{listed}".replace("%", "%%")
        group.add_argument(option_of(key), metavar=example, dest=f"{_DEST}{key}", help=about)


def scenario_of(options: Namespace) -> dict[str, str]:
    """Return the keys of a scenario that were given, as text."""
    given = {key: value for key, value in vars(options).items() if key.startswith(_DEST)}
    return {key.removeprefix(_DEST): value for key, value in given.items() if value is not None}
