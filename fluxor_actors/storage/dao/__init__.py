"""Copies of processes and executions for others to read: in memory, in files, in SQL tables. See `Dao`.

It may import what a process is, and of the stores what speaks SQL; nothing of actors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fluxor_actors.storage.dao.dao import BatchingDao, Dao
from fluxor_actors.storage.dao.files import FilesystemDao
from fluxor_actors.storage.dao.memory import MemoryDao

if TYPE_CHECKING:
    from fluxor_actors.storage.dao.sql import SqlDao

__all__ = ["BatchingDao", "Dao", "FilesystemDao", "MemoryDao", "SqlDao"]


def __getattr__(name: str) -> Any:
    """Load what speaks SQL when it is first used: that takes 300 ms."""
    if name == "SqlDao":
        from fluxor_actors.storage.dao.sql import SqlDao

        return SqlDao
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
