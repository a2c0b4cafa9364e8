"""What compression costs a network, as a user says it: a table, or a function by its path."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from carbonopt.errors import QualityError, SpecError
from carbonopt.workload.network import Network

QUALITY = "quality_loss"
"""Column that a table must have: what the function gives otherwise, the less the better."""
_OURS = "carbonopt."
_SHOWN = 3
_DIGITS = 12  # of values in a table, as steps of variables have


@dataclass(frozen=True)
class QualityFunction:
    """The loss that a function of the user gives, the mean over the networks.

    What it gave for a network is kept: hardware does not change it, and it may take long.

    Parameters
    ----------
    file, module
        File of the module, '' for one that Python finds itself; and its name.
    name
        Of the function in it.
    """

    file: str
    module: str
    name: str
    _known: dict[tuple[Any, ...], float] = field(default_factory=dict, repr=False, compare=False)

    @property
    def path(self) -> str:
        """Path that finds it from anywhere."""
        return f"{self.file or self.module}:{self.name}"

    @property
    def content(self) -> dict[str, str]:
        """What decides the loss: the name, and a digest of the source where it is not ours."""
        source = self.file
        if not source and not self.module.startswith(_OURS):
            source = inspect.getsourcefile(_module("", self.module)) or ""
        digest = hashlib.sha256(Path(source).read_bytes()).hexdigest() if source else ""
        return {"function": f"{self.module}:{self.name}", "source": digest}

    def __call__(self, networks: Sequence[Network], chosen: Mapping[str, float]) -> float:
        """Return the loss of some networks.

        Parameters
        ----------
        networks
            As compressed; the function is called for each.
        chosen
            Values of the design's network variables.

        Raises
        ------
        QualityError
            The function raises something, ends the program, or gives no finite number.
        """
        return math.fsum(self._kept_loss(each, chosen) for each in networks) / len(networks)

    def _kept_loss(self, network: Network, chosen: Mapping[str, float]) -> float:
        """Return the loss of one network, for which the function is called once."""
        key = (network.name, hash(network.layers), *sorted(chosen.items()))
        if key not in self._known:
            function = getattr(_module(self.file, self.module), self.name)
            self._known[key] = self._loss(function, network, chosen)
        return self._known[key]

    def _loss(self, function: Any, network: Network, chosen: Mapping[str, float]) -> float:  # noqa: ANN401
        """Return the loss of one network."""
        said = f"quality function {self.module}:{self.name} on {network.name}"
        try:
            with redirect_stdout(sys.stderr):  # what it prints is no part of our output
                found = function(network, dict(chosen))
        except (Exception, SystemExit) as error:  # whatever it raises is data of this design
            raise QualityError(f"{said}: {type(error).__name__}: {error}") from error
        try:
            loss = math.nan if isinstance(found, bool | str) else float(found)
        except (TypeError, ValueError, OverflowError):
            loss = math.nan
        if not math.isfinite(loss):
            raise QualityError(f"{said}: got {found!r}, allowed: a finite number")
        return loss


@dataclass(frozen=True)
class QualityTable:
    """The loss that a table of the user gives.

    Parameters
    ----------
    file
        Where it comes from.
    columns
        Network variables (v).
    losses
        Values of the variables to the loss.
    """

    file: str
    columns: tuple[str, ...]
    losses: Mapping[tuple[float, ...], float]

    @property
    def content(self) -> dict[str, Any]:
        """What decides the loss."""
        text = repr((self.columns, sorted(self.losses.items())))
        return {"table": hashlib.sha256(text.encode()).hexdigest()}

    def __call__(self, networks: Sequence[Network], chosen: Mapping[str, float]) -> float:
        """Return the loss of a design, which is that of all networks together.

        Raises
        ------
        QualityError
            The table has no such combination.
        """
        key = _key([chosen[column] for column in self.columns])
        if key not in self.losses:
            raise QualityError(
                f"quality table {self.file}: {_said(self.columns, key)}: no such row"
            )
        return self.losses[key]


def quality_function(path: str, folder: Path) -> QualityFunction:
    """Find a function by its path.

    Parameters
    ----------
    path
        ``module:function``, of a module in `folder` or one that Python finds, or
        ``file.py:function``, from `folder`. Called with a compressed `Network` and the values of
        the design's network variables, it returns a number, the less the better.
    folder
        That of the problem file.

    Raises
    ------
    SpecError
        There is no such module or function, or the module cannot be imported.

    Examples
    --------
    >>> quality_function("carbonopt.compress.sqnr:sqnr_proxy", Path()).name
    'sqnr_proxy'
    """
    module, _, name = path.rpartition(":")
    if not (module and name.isidentifier()):
        raise SpecError(f"got {path}, allowed: module:function, or file.py:function")
    is_file = module.endswith(".py")
    file = folder / (module if is_file else f"{module.replace('.', '/')}.py")
    if is_file and not file.is_file():
        raise SpecError(f"got {path}, there is no {file}, allowed: a file")
    found = str(file.resolve()) if file.is_file() else ""
    named = file.stem if is_file else module
    try:
        with redirect_stdout(sys.stderr):
            loaded = _module(found, named)
    except (Exception, SystemExit) as error:  # whatever importing a user's module raises
        fault = f"got {path}, which cannot be imported ({type(error).__name__}: {error})"
        raise SpecError(f"{fault}, allowed: module:function") from error
    if not callable(getattr(loaded, name, None)):
        near = get_close_matches(name, [each for each in vars(loaded) if each[0] != "_"], 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise SpecError(f"got {path}, allowed: a function of {named}{hint}")
    return QualityFunction(found, named, name)


@cache
def _module(file: str, name: str) -> ModuleType:
    """Import a module, from its file where one is given; it may import its neighbours."""
    if not file:
        return importlib.import_module(name)
    folder = str(Path(file).parent)
    unique = f"{name}_{hashlib.sha256(file.encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(unique, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return module


def quality_table(file: Path, columns: Sequence[str]) -> QualityTable:
    """Read a table of losses.

    Parameters
    ----------
    file
        CSV file with a column for each of `columns`, and ``quality_loss``; others do not count.
    columns
        Network variables of a problem.

    Raises
    ------
    SpecError
        Every fault of the file.
    """
    try:
        table = pd.read_csv(file)
    except (OSError, ValueError) as error:
        raise SpecError(f"got {file}, which cannot be read ({error}), allowed: CSV") from error
    wanted = [*columns, QUALITY]
    if missing := [name for name in wanted if name not in table]:
        got = ", ".join(map(str, table)) or "none"
        raise SpecError(f"{file.name}: got columns {got}, allowed: also {', '.join(missing)}")
    numbers = table[wanted].apply(pd.to_numeric, errors="coerce")
    faults = [
        f"{file.name}:{row + 2}: {name}: got {table[name][row]}, allowed: a finite number"
        for name in wanted
        for row in numbers.index[~numbers[name].map(math.isfinite)]
    ]
    losses: dict[tuple[float, ...], float] = {}
    for row, (*key, loss) in enumerate(numbers.itertuples(index=False, name=None)):
        values = _key(key)
        if losses.setdefault(values, float(loss)) != loss and math.isfinite(loss):
            said = _said(columns, values)
            faults.append(f"{file.name}:{row + 2}: {said}: got it again, allowed: once")
    if faults:
        raise SpecError(faults)
    return QualityTable(file.name, tuple(columns), losses)


def _key(values: Sequence[float]) -> tuple[float, ...]:
    """Return values as a table is looked up by: 0.1 + 0.2 is 0.3."""
    return tuple(round(float(value), _DIGITS) for value in values)


def missing_rows(table: QualityTable, wanted: Sequence[tuple[float, ...]]) -> str:
    """Name combinations that a table lacks, '' where it has all."""
    missing = [key for key in wanted if _key(key) not in table.losses]
    if not missing:
        return ""
    named = "; ".join(_said(table.columns, key) for key in missing[:_SHOWN])
    more = f"; {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return f"{table.file}: got no row for {named}{more}, allowed: a row for each combination"


def _said(columns: Sequence[str], key: Sequence[float]) -> str:
    """Return some values in words."""
    return ", ".join(f"{name} {value:g}" for name, value in zip(columns, key, strict=True))
