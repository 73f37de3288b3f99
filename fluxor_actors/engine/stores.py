"""From a URL to a store."""

from __future__ import annotations

from typing import Any

from fluxor_actors.clock import Clock
from fluxor_actors.errors import ConfigError
from fluxor_actors.storage import MemoryStore, Store

__all__ = ["check_store", "open_store"]


def open_store(url: str, retain: int, durability: str, clock: Clock) -> Store:
    """The store at a URL.

    Raises:
        ConfigError: there is no store of this kind.
        StoreError: it cannot be opened.
    """
    if url == "memory://":
        return MemoryStore(retain)
    if url.startswith(("sqlite:", "postgresql:", "postgresql+")):
        from fluxor_actors.storage.sql import SqlStore  # takes 300 ms to import

        return SqlStore(url, durability=durability, clock=clock)
    raise ConfigError(
        f"store is {url!r}; expected memory://, sqlite:///file.db, postgresql://… or an object that is a Store"
    )


def check_store(given: Any) -> Store:
    """What was given, if it has a store's methods.

    Raises:
        ConfigError: it has not.
    """
    if not callable(getattr(given, "append", None)) or not callable(getattr(given, "headers", None)):
        raise ConfigError(f"store is {given!r:.100}; expected a URL, such as memory://, or an object that is a Store")
    store: Store = given
    return store
