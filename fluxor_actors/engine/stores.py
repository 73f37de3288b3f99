"""From a URL to a store."""

from __future__ import annotations

from typing import Any

from fluxor_actors.errors import ConfigError
from fluxor_actors.storage import MemoryStore, Store

__all__ = ["check_store", "open_store"]


def open_store(url: str, retain: int) -> Store:
    """The store at a URL.

    Raises:
        ConfigError: there is no store of this kind.
    """
    if url == "memory://":
        return MemoryStore(retain)
    raise ConfigError(f"store is {url!r}; this version has memory:// and takes any object that is a Store")


def check_store(given: Any) -> Store:
    """What was given, if it has a store's methods.

    Raises:
        ConfigError: it has not.
    """
    if not callable(getattr(given, "append", None)) or not callable(getattr(given, "headers", None)):
        raise ConfigError(f"store is {given!r:.100}; expected a URL, such as memory://, or an object that is a Store")
    store: Store = given
    return store
