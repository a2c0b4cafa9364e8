"""Serves a run to a browser while its mirror follows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from carbonopt.database import close_storage, open_storage, storage_faults
from carbonopt.errors import SpecError, StoreError
from carbonopt.store import RunStore

if TYPE_CHECKING:
    from carbonopt.monitor.mirror import Mirror

FOLDER = "dashboard"
JOURNAL = "journal.log"
_EXTRA = "after pip install 'carbonopt[dashboard]'"
_LEAST_PAUSE_S = 1.0
_PAUSE_PER_LOOK = 100.0
"""So that at most one part in a hundred of the time goes into looks, which a run may need.

Taken by the clock: on a busy machine looks take longer and get fewer, as the run gets slower."""
_LONGEST_PAUSE_S = 60.0


def watch(
    run_dir: str | Path,
    *,
    storage: str = "",
    host: str = "127.0.0.1",
    port: int = 8080,
    on_start: Callable[[str], None] | None = None,
) -> None:
    """Show a run in optuna-dashboard, in progress or finished, until interrupted.

    It only reads what the run writes: the run needs no option for it and does not wait for it.

    Parameters
    ----------
    run_dir
        The run directory.
    storage
        Where the study is kept: a URL or the path of a journal file; a journal in the run
        directory unless given.
    host, port
        Where to serve; port 0 for any that is free.
    on_start
        Called with the address of the study's page.

    Raises
    ------
    SpecError
        The extra ``dashboard`` is missing, or the port is taken.
    StoreError
        There is no run, it cannot be read, or the storage does not answer.
    """
    made = _mirror_class()
    store = RunStore(run_dir)
    store.manifest()
    folder = _folder(store)
    url = storage or str(folder / JOURNAL)
    with storage_faults(url):
        opened = open_storage(url)
        try:
            mirror = made(store, opened, folder)
            mirror.look()
            with _served(mirror, host, port) as address:
                if on_start is not None:
                    on_start(f"{address}/dashboard/studies/{mirror.study_id}")
                _follow(mirror)
        finally:
            close_storage(opened)


def _mirror_class() -> type[Mirror]:
    """Import the mirror, which needs what the extra ``dashboard`` brings."""
    try:
        from carbonopt.monitor.mirror import Mirror
    except ImportError as error:
        fault = f"got no {error.name}"
        raise SpecError(f"dashboard: {fault}, allowed: {_EXTRA}") from error
    return Mirror


def _folder(store: RunStore) -> Path:
    """Make the folder of the study's files in a run directory."""
    folder = store.path / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        (folder / "writable").touch()
        (folder / "writable").unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        allowed = "a run directory of your own"
        raise StoreError(f"{folder}: cannot be written ({reason}), allowed: {allowed}") from error
    return folder


def _follow(mirror: Mirror) -> None:
    """Look again and again; the longer a look takes, the longer the pause after it."""
    while True:
        start = time.monotonic()
        if not mirror.is_settled:
            mirror.look()
        pause_s = _PAUSE_PER_LOOK * (time.monotonic() - start)
        _wait(mirror, min(_LEAST_PAUSE_S + pause_s, _LONGEST_PAUSE_S))


def _wait(mirror: Mirror, pause_s: float) -> None:
    """Wait; a run that ends needs nothing any more, so its end is shown at once."""
    until = time.monotonic() + pause_s
    while time.monotonic() < until:
        time.sleep(_LEAST_PAUSE_S)
        if mirror.has_ended and not mirror.is_settled:
            return


@contextmanager
def _served(mirror: Mirror, host: str, port: int) -> Iterator[str]:
    """Serve the study inside a ``with`` block; gives the address."""
    from optuna_dashboard import wsgi

    application = wsgi(mirror.storage, artifact_store=mirror.artifacts)
    try:
        server = make_server(host, port, application, _Server, _Quiet)
    except (OSError, OverflowError) as error:
        allowed = "a free one, or 0 for any"
        raise SpecError(f"port: got {port} on {host} ({error}), allowed: {allowed}") from error
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{host}:{server.server_port}"
        finally:
            server.shutdown()


class _Server(ThreadingMixIn, WSGIServer):
    """Answers several requests at a time."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    """Writes no line per request."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""
