"""Storages of Optuna by URL, whose faults are told in words."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from carbonopt.errors import CarbonoptError, SpecError, StoreError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
_ALLOWED = "postgresql://user@host/database, sqlite:///file.db, or the path of a journal file"
_HEARTBEATS_OF_GRACE = 3


def open_storage(url: str, *, heartbeat_s: int | None = None) -> BaseStorage:
    """Open a storage: a database by its URL, or a journal file by its path.

    Parameters
    ----------
    url
        ``postgresql://…``, ``sqlite:///…``, or a path.
    heartbeat_s
        Seconds between the signs of life of a trial; one that misses three is done again.
        None for none.

    Raises
    ------
    SpecError
        The URL is none, or its driver is not installed.
    StoreError
        The server does not answer, or the file cannot be written.
    """
    with quiet_optuna():
        if "://" not in url:
            return JournalStorage(JournalFileBackend(str(Path(url))))
        with storage_faults(url):
            return _Database(
                _checked(url),
                engine_kwargs={"pool_pre_ping": True},
                heartbeat_interval=heartbeat_s,
                grace_period=heartbeat_s and _HEARTBEATS_OF_GRACE * heartbeat_s,
                heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(),
            )


def close_storage(storage: BaseStorage) -> None:
    """Close the connections of a storage to its database, where it has any."""
    if isinstance(storage, RDBStorage):
        with suppress(*_database_faults()):
            storage.remove_session()
            storage.engine.dispose()


def shown(url: str) -> str:
    """Return a URL without its password.

    Examples
    --------
    >>> shown("postgresql://me:secret@host/runs")
    'postgresql://me:***@host/runs'
    """
    if "://" not in url:
        return url
    try:
        return _parsed(url).render_as_string(hide_password=True)
    except ValueError:
        return url.partition("://")[0] + "://..."


@contextmanager
def storage_faults(url: str) -> Iterator[None]:
    """Tell faults of a storage inside a ``with`` block as faults of ours.

    Raises
    ------
    SpecError
        The URL is none, or its driver is not installed.
    StoreError
        The server does not answer, or has gone.
    """
    try:
        yield
    except CarbonoptError:
        raise
    except ImportError as error:
        needs = f"got {shown(url)}, which needs {error.name or 'a driver'}"
        allowed = "after pip install 'carbonopt[distributed]'"
        raise SpecError(f"storage: {needs}, allowed: {allowed}") from error
    except Exception as error:
        cause = _behind(error)
        if cause is None:
            raise
        if _is_bad_url(cause):
            fault = f"got {shown(url)} ({_reason(cause)})"
            raise SpecError(f"storage: {fault}, allowed: {_ALLOWED}") from error
        kept = "what was stored is kept: start again when it answers"
        fault = f"does not answer ({_reason(cause)})"
        raise StoreError(f"storage {shown(url)}: {fault}; {kept}") from error


def _behind(error: BaseException | None) -> BaseException | None:
    """Find the fault of a storage behind an error; Optuna trips over some while it cleans up."""
    faults = _database_faults()
    while error is not None and not isinstance(error, faults):
        error = error.__cause__ or error.__context__
    return error


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna from announcing studies and trials, and from warnings about new functions."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


class _Database(RDBStorage):
    """A database that may be away for a moment: a sign of life that gets lost is no fault."""

    def record_heartbeat(self, trial_id: int) -> None:
        """Record that a trial is alive, if the server answers."""
        with suppress(*_database_faults()):
            super().record_heartbeat(trial_id)


def _checked(url: str) -> str:
    """Return a URL with its driver.

    Raises
    ------
    SpecError
        It is none.
    """
    full = _with_driver(url)
    try:
        _parsed(full)
    except ValueError as error:
        raise SpecError(f"storage: got {shown(url)} ({error}), allowed: {_ALLOWED}") from error
    return full


def _parsed(url: str) -> URL:
    """Take a URL apart.

    Raises
    ------
    ValueError
        It is none.
    """
    from sqlalchemy.engine import make_url

    try:
        return make_url(url)
    except _database_faults() as error:
        raise ValueError(str(error)) from error


def _is_bad_url(error: BaseException) -> bool:
    """Whether a fault is that of the URL, not of the database."""
    from sqlalchemy.exc import ArgumentError

    return isinstance(error, ArgumentError)


def _database_faults() -> tuple[type[Exception], ...]:
    """Name what a database raises; a journal does without this import."""
    from sqlalchemy.exc import SQLAlchemyError

    return SQLAlchemyError, StorageInternalError


def _with_driver(url: str) -> str:
    """Name the driver that the extra brings, where a URL names none.

    Examples
    --------
    >>> _with_driver("postgresql://host/runs")
    'postgresql+psycopg://host/runs'
    """
    scheme, separator, rest = url.partition("://")
    return f"{_DRIVERS.get(scheme, scheme)}{separator}{rest}"


def _reason(error: BaseException) -> str:
    """Return the first line of the innermost cause."""
    cause = getattr(error, "orig", None) or error.__cause__ or error
    inner = getattr(cause, "orig", None) or cause
    lines = [line.strip() for line in str(inner).splitlines() if line.strip()]
    return lines[0] if lines else type(inner).__name__
