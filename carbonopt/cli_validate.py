"""Commands that compare the models with what was measured."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from carbonopt.cli_text import say, say_json


def validate(options: Namespace) -> None:
    """Compare in-memory macros with published chips; write page, tables and figure."""
    from carbonopt.report.imc_figure import plot_imc_validation
    from carbonopt.report.imc_page import error_table, imc_page
    from carbonopt.report.imc_validation import GENERAL, validate_imc
    from carbonopt.report.style import save

    found = validate_imc()
    folder = Path(options.out or f"runs/validate-{options.what}")
    figure = save(plot_imc_validation(found), folder / "imc_validation.png")
    page, table = folder / "imc_validation.md", folder / "imc_validation.csv"
    page.write_text(imc_page(found), encoding="utf-8")
    whole = found.general.merge(
        found.structure[["chip", "measure", "model", "ratio"]], how="outer", sort=False
    )
    whole.to_csv(table, index=False)
    if options.json:
        errors = {gates: found.errors(gates).to_dict("index") for gates in GENERAL}
        said = {"gates": dict(found.gates), "errors": errors}
        say_json({**said, "structure": found.structure.to_dict("records"),
                  "general": found.general.to_dict("records"), "files": [str(page)]})  # fmt: skip
        return
    drawn = found.structure.dropna(subset=["plotted"])
    worst = (drawn["drawn"] / drawn["plotted"] - 1.0).abs().max()
    chips = drawn["chip"].nunique()
    say(f"chip-specific structure: {chips} chips, ratios within {worst:.1%} of the published ones")
    say(f"general macro: {found.general['chip'].nunique()} chips, |model / reported - 1|")
    say(error_table(found).rstrip())
    for path in (page, table, figure):
        say(str(path))
