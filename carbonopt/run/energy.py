"""The energy that a search itself draws, where the extra ``codecarbon`` is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version

from carbonopt.store import RunStore
from carbonopt.units import UNITS

ENERGY, METER = "search_energy_j", "search_energy_meter"
"""Keys of the manifest."""

_ANY_COUNTRY = "USA"


@contextmanager
def metered(store: RunStore) -> Iterator[None]:
    """Add the energy of the whole machine inside a ``with`` block to a run's manifest.

    Nothing is measured without codecarbon. It works offline: only its energy is taken, carbon
    follows from the grid of the run's own scenario, so that the country that codecarbon asks
    for does not matter.

    Parameters
    ----------
    store
        The run; legs that were stopped and resumed add up.

    References
    ----------
    .. [1] CodeCarbon, https://codecarbon.io (MIT).
    """
    try:
        codecarbon = import_module("codecarbon")
    except ImportError:
        yield
        return
    tracker = codecarbon.OfflineEmissionsTracker(
        country_iso_code=_ANY_COUNTRY,
        save_to_file=False,
        log_level="critical",
        allow_multiple_runs=True,
    )
    tracker.start()
    try:
        yield
    finally:
        tracker.stop()
        drawn_j = tracker.final_emissions_data.energy_consumed * UNITS["J"]["kWh"]
        manifest = store.manifest()
        told = {
            ENERGY: manifest.get(ENERGY, 0.0) + drawn_j,
            METER: f"codecarbon {version('codecarbon')}",
        }
        store.write_manifest({**manifest, **told})
