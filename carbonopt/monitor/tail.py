"""The rows that a run has written since one last looked."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.errors import ParserWarning

from carbonopt.errors import StoreError

_TEXTS = ("status", "message")
Key = tuple[str, ...]


class Tail:
    """Reads an evaluation table as it grows, each design once, each byte once.

    A run appends to its table; it replaces the file when a later row has more columns, and at its
    end: then the table is read again from the top, and designs that were seen are left out.

    Parameters
    ----------
    file
        The table.
    variables
        Values that each variable can take.
    """

    def __init__(self, file: Path, variables: Mapping[str, Sequence[Any]]) -> None:
        self.file = file
        self.texts = {name: {str(v): v for v in values} for name, values in variables.items()}
        self.seen: set[Key] = set()
        self._identity: tuple[int, int, bytes] = (0, 0, b"")
        self._offset = 0

    def read(self) -> pd.DataFrame:
        """Return the new rows; none where there is no new one.

        Raises
        ------
        StoreError
            The table is damaged.
        """
        fresh = self._fresh_bytes()
        if not fresh:
            return pd.DataFrame()
        table = self._parsed(fresh)
        keys = self.keys(table)
        is_new = [key not in self.seen for key in keys]
        self.seen.update(keys)
        return table[is_new].reset_index(drop=True)

    def keys(self, table: pd.DataFrame) -> list[Key]:
        """Identify the designs of a table by their variables as text."""
        columns = [table[name].astype(str) for name in self.texts]
        return list(zip(*columns, strict=True))

    def rewind(self) -> None:
        """Read from the top the next time, whatever the file looks like."""
        self._identity = (0, 0, b"")

    def _fresh_bytes(self) -> bytes:
        """Read whole lines that were not read yet; the header is kept apart."""
        if not self.file.exists():
            return b""
        with self.file.open("rb") as handle:
            state = os.fstat(handle.fileno())
            header = handle.readline()
            identity = (state.st_dev, state.st_ino, header)
            if identity != self._identity or state.st_size < self._offset:
                self._identity, self._offset = identity, len(header)
            handle.seek(self._offset)
            fresh = handle.read()
        whole = fresh[: fresh.rfind(b"\n") + 1] if header.endswith(b"\n") else b""
        self._offset += len(whole)
        return whole

    def _parsed(self, lines: bytes) -> pd.DataFrame:
        """Read lines of the table, numbers to the last bit."""
        texts = dict.fromkeys([*self.texts, *_TEXTS], str)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ParserWarning)
                table = pd.read_csv(
                    io.BytesIO(self._identity[2] + lines),
                    dtype=texts,
                    low_memory=False,
                    index_col=False,
                )
            columns = {str(name): table[name] for name in table}
            for name, values in self.texts.items():
                columns[name] = pd.Series([values.get(text, text) for text in table[name]])
            for name in _TEXTS:
                columns[name] = table[name].fillna("")
            columns["feasible"] = table["feasible"].astype(str) == "True"
        except (ValueError, KeyError, ParserWarning) as error:
            fault = f"cannot be read ({error}), allowed: the file as the run wrote it"
            raise StoreError(f"{self.file}: {fault}") from error
        return pd.DataFrame(columns)
