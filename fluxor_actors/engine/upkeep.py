"""Deletes from a durable store what has been finished for longer than it is to be kept."""

from __future__ import annotations

import logging
import threading
from typing import cast

from fluxor_actors.clock import Clock
from fluxor_actors.errors import ConfigError, FluxorError
from fluxor_actors.storage import Store
from fluxor_actors.storage.durable import DurableStore

__all__ = ["Upkeep"]

_logger = logging.getLogger(__name__)

_SOONEST, _LATEST = 1.0, 3_600.0


class Upkeep:
    """Prunes at the start and from time to time, on a thread of its own.

    Args:
        store: what to prune.
        age: seconds after its end for which a process is kept.
        clock: the time.

    Raises:
        ConfigError: the store cannot prune.
    """

    def __init__(self, store: Store, age: float, clock: Clock) -> None:
        if not callable(getattr(store, "prune", None)):
            raise ConfigError(f"retain names an age, and the store {store!r:.100} cannot delete by age")
        self._store = cast(DurableStore, store)
        self._age = age
        self._clock = clock
        self._every = min(max(age / 10, _SOONEST), _LATEST)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="fluxor-upkeep", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """End; a deletion that is under way is waited for up to ``timeout`` seconds."""
        self._closing.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._prune()
            self._closing.wait(self._every)

    def _prune(self) -> None:
        try:
            pruned = self._store.prune(before=self._clock.time() - self._age)
        except FluxorError as error:
            if not self._closing.is_set():
                _logger.warning("what is too old cannot be deleted now, and is later: %s", error)
        except Exception:  # a store of the host's may raise anything; the next time may be better
            _logger.exception("what is too old could not be deleted")
        else:
            if pruned.processes:
                _logger.info(
                    "%d processes were deleted, which had ended %g s ago or before", pruned.processes, self._age
                )
