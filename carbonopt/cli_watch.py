"""The command that shows a run in a browser."""

from __future__ import annotations

import os
import signal
from argparse import Namespace

from carbonopt.cli_text import say

_YIELD = 10
"""By how much this process steps back where the run needs the cores."""


def dashboard(options: Namespace) -> None:
    """Show a run in optuna-dashboard until interrupted."""
    from carbonopt.monitor.serve import watch

    def told(address: str) -> None:
        say(f"{options.run_dir}: {address} (end with Ctrl-C)")
        if hasattr(os, "nice"):
            os.nice(_YIELD)

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        watch(
            options.run_dir,
            storage=options.storage,
            host=options.host,
            port=options.port,
            on_start=told,
        )
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
