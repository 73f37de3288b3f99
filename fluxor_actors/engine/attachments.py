"""What is joined to an engine, and ends with it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fluxor_actors.actors.worker import Spawn
from fluxor_actors.errors import ConfigError, EngineStoppedError

if TYPE_CHECKING:
    from fluxor_actors.actors.carrier import Carrier
    from fluxor_actors.messaging.attaching import Attachable, Engine

__all__ = ["Attachments", "carry"]

_logger = logging.getLogger(__name__)


class Attachments:
    """All of them. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._attached: list[Attachable] = []
        self._over = False
        self._after: list[Callable[[float], object]] = []

    def add(self, attachable: Attachable, engine: Engine) -> None:
        """Join one to an engine that runs.

        Raises:
            EngineStoppedError: the engine was shut down.
        """
        if not self._over:
            attachable.start(engine)
            with self._lock:
                if not self._over:
                    self._attached.append(attachable)
                    return
            # The engine has stopped just now, without this one.
            attachable.detach(0.0)
        raise EngineStoppedError("the engine was shut down; make another one")

    def after(self, close: Callable[[float], object]) -> None:
        """Call this, with the seconds left, when no action runs any more."""
        self._after.append(close)

    def detach(self, deadline: float) -> None:
        """The engine stops."""
        with self._lock:
            self._over = True
            attached, self._attached = self._attached, []
        for patient in (False, True):
            # All of them begin to end before one is waited for.
            for one in attached:
                try:
                    one.detach(max(0.0, deadline - time.monotonic()) if patient else 0.0)
                except Exception:  # it is the host's
                    _logger.exception("%r could not be detached", one)

    def close(self, deadline: float) -> None:
        """No action runs any more."""
        for close in self._after:
            close(max(1.0, deadline - time.monotonic()))


def carry(queue: Any, spawn: Spawn) -> Carrier:
    """Workers that get their assignments through a queue.

    Raises:
        ConfigError: it is no queue.
    """
    if not callable(getattr(queue, "publish", None)) or not callable(getattr(queue, "consume", None)):
        raise ConfigError(f"queue is {queue!r:.100}; expected a queue, such as fluxor_actors.messaging.MemoryQueue()")
    from fluxor_actors.actors.carrier import Carrier  # loads all kinds of queues

    return Carrier(queue, spawn)
