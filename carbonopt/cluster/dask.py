"""Designs evaluated by the workers of a Dask scheduler."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from carbonopt.data.tables import data_hash
from carbonopt.errors import SearchError, SpecError
from carbonopt.run.manifest import model_hash

if TYPE_CHECKING:
    from distributed import Client

SCHEME = "dask://"
_ANSWER_S = 10
_WORKER_S = 60
_ALLOWED = "dask://host:8786 of a running `dask scheduler`"


@contextmanager
def dask_executor(address: str) -> Iterator[Executor]:
    """Use the workers of a Dask scheduler inside a ``with`` block.

    A chunk of designs whose worker dies is evaluated by another worker.

    Parameters
    ----------
    address
        As in ``dask://host:8786``.

    Raises
    ------
    SpecError
        Nothing answers there, no worker is connected, or a worker has other models or data.
    SearchError
        The scheduler went away, or a chunk killed one worker after the other.
    """
    if not address.startswith(SCHEME) or len(address) == len(SCHEME):
        raise SpecError(f"executor: got {address}, allowed: {_ALLOWED}")
    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        needs = f"got {address}, which needs {error.name}"
        extra = "after pip install 'carbonopt[distributed]'"
        raise SpecError(f"executor: {needs}, allowed: {extra}") from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    host = "tcp://" + address.removeprefix(SCHEME)
    try:
        client = Client(host, timeout=_ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as error:
        fault = f"got {address}, where nothing answers within {_ANSWER_S} s"
        raise SpecError(f"executor: {fault}, allowed: {_ALLOWED}") from error
    with client:
        _check(client, address)
        try:
            yield client.get_executor()
        except KilledWorker as error:
            raise SearchError(f"executor {address}: {error}; {_KEPT}") from error
        except (CancelledError, OSError) as error:
            if client.status == "running":
                raise
            raise SearchError(f"executor {address}: the scheduler went away; {_KEPT}") from error


_KEPT = "what was stored is kept, so the run can be resumed"


def fingerprint() -> str:
    """Fingerprint of the models and data that a process evaluates with."""
    return f"{model_hash()} {data_hash()}"


def _check(client: Client, address: str) -> None:
    """Refuse workers that would evaluate other models than this process."""
    try:
        client.wait_for_workers(1, timeout=_WORKER_S)
    except TimeoutError as error:
        allowed = "one with a worker (`dask worker HOST:PORT --nthreads 1`)"
        fault = f"got {address}, where no worker is connected after {_WORKER_S} s"
        raise SpecError(f"executor: {fault}, allowed: {allowed}") from error
    try:
        found = client.run(fingerprint)
    except ImportError as error:
        fault = f"got workers at {address} without carbonopt ({error})"
        raise SpecError(f"executor: {fault}, allowed: workers with this version") from error
    others = [worker for worker, told in found.items() if told != fingerprint()]
    if others:
        fault = f"got workers at {address} with other models or data: {', '.join(others)}"
        raise SpecError(f"executor: {fault}, allowed: workers with this version")
