"""Commands that account for carbon: of published accelerators, of a run under other scenarios."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from carbonopt.cli_text import say, say_json

if TYPE_CHECKING:
    import pandas as pd

RUNS = Path("runs")


def literature(options: Namespace) -> None:
    """Account for published accelerators, print them by suite, write figure and table."""
    import pandas as pd

    from carbonopt.carbon.literature import (
        PUBLISHED,
        literature_carbon,
        load_chips,
        load_suites,
        read_chips,
    )
    from carbonopt.carbon.presets import load_preset
    from carbonopt.report.literature import plot_literature
    from carbonopt.report.style import save

    preset = load_preset(options.preset)
    chips = load_chips()
    if preset.name == PUBLISHED:
        chips = chips[chips["number_in_paper"] > 0]
    if options.chips:
        chips = pd.concat([chips, read_chips(options.chips)], ignore_index=True)
    suites = load_suites(preset.name)
    tables = {suite.title: literature_carbon(chips, suite, preset) for suite in suites}
    folder = Path(options.out or RUNS / f"literature-{preset.name}")
    figure = save(plot_literature(tables, preset), folder / "literature.png")
    whole = pd.concat([table.assign(suite=name) for name, table in tables.items()])
    whole.to_csv(folder / "literature.csv", index=False)
    if options.json:
        say_json({"preset": preset.name, "figure": str(figure), "chips": whole.to_dict("records")})
        return
    for suite in suites:
        say(f"{suite.title}: {suite.op_per_task:,.0f} operations every {suite.period_s:.4g} s")
        say(literature_text(tables[suite.title]))
        say()
    without = [name for name in chips["name"] if name not in set(whole["name"])]
    if without:
        say(f"no fab figure at the node of: {', '.join(without)}")
    say(str(folder / "literature.csv"))
    say(str(figure))


def literature_text(table: pd.DataFrame) -> str:
    """Return chips with their carbon in both scenarios and the share of operation, aligned."""
    from carbonopt.report.scale import quantity
    from carbonopt.report.table import aligned

    columns = {
        "chip": table["name"].tolist(),
        "type": table["type"].tolist(),
        "TOPS/W": [f"{value:.3g}" for value in table["tops_per_w"]],
        "area": [quantity(value, "mm2", 3) for value in table["area_mm2"]],
    }
    for scenario in ("ca", "pa"):
        carbon = table[f"carbon_{scenario}_g"]
        columns[f"carbon {scenario.upper()}"] = [quantity(value, "g") for value in carbon]
        shares = table["operational_g"] / carbon
        columns[f"in use {scenario.upper()}"] = [
            "late" if share != share else f"{share:.1%}" for share in shares
        ]
    return aligned(columns)
