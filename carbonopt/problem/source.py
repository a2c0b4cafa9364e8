"""A problem as the text of a file that can be read from a run directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from carbonopt.compress.quality import quality_function
from carbonopt.spec.load import Document, plain_scalar, read_document


class _Dumper(yaml.SafeDumper):
    """Writes text in quotes where it would not be read as text."""


def _text_node(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Quote what looks like a number or a word of YAML."""
    style = None if plain_scalar(text) == text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_node)


def source_of(document: Document) -> str:
    """Write the file again so that it can be read from a run directory."""
    data = dict(document.data)
    folder = document.path.parent.resolve()
    data["workloads"] = [
        {**entry, "path": str(folder / entry["path"])}
        if isinstance(entry, dict) and "path" in entry
        else entry
        for entry in data["workloads"]
    ]
    scenario = data.get("scenario", {})
    if str(scenario.get("profile")).endswith(".csv"):
        data["scenario"] = {**scenario, "profile": str(folder / scenario["profile"])}
    quality = dict(data.get("quality") or {})
    if "table" in quality:
        data["quality"] = {"table": str(folder / quality["table"])}
    elif "function" in quality:
        data["quality"] = {"function": quality_function(quality["function"], folder).path}
    if "machine" in data:
        data["machine"] = str(folder / data["machine"])
    if "reference_front" in data:
        data["reference_front"] = {**data["reference_front"], "file": "reference_front.csv"}
    return _written(data)


def drop_front(file: Path) -> None:
    """Leave the reference front out of a problem file whose folder does not have it."""
    data = {k: v for k, v in read_document(file).data.items() if k != "reference_front"}
    file.write_text(_written(data), encoding="utf-8")


def _written(data: Mapping[str, Any]) -> str:
    """Write what a problem file says so that it is read back the same."""
    return yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
