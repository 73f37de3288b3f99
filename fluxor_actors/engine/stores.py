"""From a URL to a store."""

from __future__ import annotations

from typing import Any

from fluxor_actors.clock import Clock
from fluxor_actors.config import Retention
from fluxor_actors.errors import ConfigError
from fluxor_actors.storage import MemoryStore, Store

__all__ = ["KEPT_IN_MEMORY", "check_store", "open_store"]

KEPT_IN_MEMORY = 1_000
"""Finished processes that are kept at hand unless said otherwise."""


def open_store(url: str, retain: object, durability: str, clock: Clock) -> Store:
    """The store at a URL. ``retain`` as in `Config`: a number is the store's own affair, an age that of `Upkeep`.

    Raises:
        ConfigError: there is no store of this kind.
        StoreError: it cannot be opened.
    """
    keep = Retention.of(retain)
    if url == "memory://":
        if keep.age is not None:
            raise ConfigError(f"retain is {retain!r}; in memory processes are kept by number, such as 1000")
        return MemoryStore(keep.count or KEPT_IN_MEMORY)
    if url.startswith(("sqlite:", "postgresql:", "postgresql+")):
        from fluxor_actors.storage.sql import SqlStore  # takes 300 ms to import

        return SqlStore(url, durability=durability, clock=clock, retain=keep.count)
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
