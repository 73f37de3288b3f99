"""Where a simulation keeps what is committed: it outlives the engines."""

from __future__ import annotations

import tempfile
from typing import Protocol

from fluxor_actors.clock import Clock
from fluxor_actors.errors import ConfigError
from fluxor_actors.storage import MemoryStore, Store
from fluxor_actors.storage.durable import DurableStore

__all__ = ["Home", "home_of"]

_KEPT = 1_000_000


class Home(Protocol):
    """A place for one store, which is opened once for each engine.

    Attributes:
        shared: whether engines take over by themselves what others have left there.
    """

    shared: bool

    @property
    def store(self) -> Store:
        """The one that is open."""
        ...

    def open(self) -> Store:
        """A store for the next engine."""
        ...

    def left_by(self, engine: str) -> None:
        """That engine is dead, and everybody knows."""
        ...

    def close(self) -> None:
        """Nothing is needed any more."""
        ...


class _Memory:
    shared = False

    def __init__(self) -> None:
        self._store = MemoryStore(_KEPT)

    @property
    def store(self) -> Store:
        return self._store

    def open(self) -> Store:
        return self._store

    def left_by(self, engine: str) -> None:
        """Nobody owns anything here."""

    def close(self) -> None:
        """It goes with whoever holds it."""


class _Sqlite:
    shared = True

    def __init__(self, clock: Clock) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fluxor-simulation-")
        self._clock = clock
        self._durable = self._opened()
        self._used = False

    def _opened(self) -> DurableStore:
        from fluxor_actors.storage.sql import SqlStore  # takes 300 ms to import

        # Nothing here has to survive the machine.
        return SqlStore(f"sqlite:///{self._folder.name}/runs.db", durability="relaxed", clock=self._clock)

    @property
    def store(self) -> Store:
        return self._durable

    def open(self) -> Store:
        if self._used:
            self._durable.close()
            self._durable = self._opened()
        self._used = True
        return self._durable

    def left_by(self, engine: str) -> None:
        self._durable.release(engine)

    def close(self) -> None:
        self._durable.close()
        self._folder.cleanup()


def home_of(store: str, clock: Clock) -> Home:
    """A home for a store of a kind: ``memory``, or ``sqlite``: a file that is gone afterwards.

    Raises:
        ConfigError: there is no such kind.
    """
    if store == "memory":
        return _Memory()
    if store == "sqlite":
        return _Sqlite(clock)
    raise ConfigError(f"store is {store!r}; a simulation's is 'memory' or 'sqlite'")
