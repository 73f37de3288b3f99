"""From a URL to a store."""

from __future__ import annotations

from fluxor_actors.errors import ConfigError
from fluxor_actors.storage import MemoryStore, Store

__all__ = ["open_store"]


def open_store(url: str, retain: int) -> Store:
    """The store at a URL.

    Raises:
        ConfigError: there is no store of this kind.
    """
    if url == "memory://":
        return MemoryStore(retain)
    raise ConfigError(f"store is {url!r}; this version has memory:// and takes any object that is a Store")
