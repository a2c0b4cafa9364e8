"""The command that lists the grids that a region can name."""

from __future__ import annotations

from argparse import Namespace

from carbonopt.cli_text import say, say_json
from carbonopt.errors import SpecError


def regions(options: Namespace) -> None:
    """List regions by name, code, latest year and intensity; those that hold a text."""
    from carbonopt.carbon.grid import latest_intensities
    from carbonopt.report.table import aligned

    table = latest_intensities(options.text or "")
    if table.empty:
        raise SpecError(f"regions: got {options.text!r}, which no name or code holds")
    if options.json:
        say_json(table.to_dict("records"))
        return
    say(
        aligned(
            {
                "region": table["region"].tolist(),
                "code": table["iso3"].tolist(),
                "year": table["year"].astype(str).tolist(),
                "g/kWh": [f"{value:.4g}" for value in table["g_per_kwh"]],
                "kind": table["kind"].tolist(),
            }
        )
    )
