"""Disks that are full, and on which there is room again when a test says so."""

from __future__ import annotations

import logging
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from attrs import frozen

from fluxor_actors.storage.sql import SqlStore

__all__ = ["DISKS", "Disk"]

_ROOM = 1_000_000  # bytes, until it is full
_SIZE = 64_000_000


@frozen
class Disk:
    """A store on a disk with little room.

    Attributes:
        store: on that disk.
        path: its file.
        make_room: from then on there is enough.
    """

    store: SqlStore
    path: Path
    make_room: Callable[[], object]


@contextmanager
def _quota(folder: Path) -> Iterator[Disk]:
    """SQLite's own limit of pages."""
    path = folder / "store.db"
    SqlStore(f"sqlite:///{path}").close()
    connection = sqlite3.connect(path)
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    connection.close()
    store = SqlStore(f"sqlite:///{path}", pragmas={"max_page_count": pages + 12})
    more = f"PRAGMA max_page_count={_SIZE // size}"
    yield Disk(store, path, lambda: store._link.write(lambda connection: connection.exec_driver_sql(more)))
    store.close()


@contextmanager
def _limit(folder: Path) -> Iterator[Disk]:
    """The system's limit of the size of a file, which needs no right: no file of this program may grow beyond it."""
    path = folder / "store.db"
    store = SqlStore(f"sqlite:///{path}")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def make_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    resource.setrlimit(resource.RLIMIT_FSIZE, (_ROOM, hard))
    try:
        yield Disk(store, path, make_room)
    finally:
        make_room()
        store.close()


@contextmanager
def _mounted(folder: Path) -> Iterator[Disk]:
    """A file system of its own, most of which something else takes. Who may not mount has SQLite's own limit once more, and is told why."""
    place = folder / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "fluxor-test", str(place)]
    try:
        done = subprocess.run(mount, check=False, capture_output=True, text=True)
        refusal = done.stderr.strip() if done.returncode else None
    except OSError as error:
        refusal = str(error)
    if refusal is not None:
        logging.getLogger(__name__).warning("no file system is mounted (%s): full by max_page_count", refusal)
        with _quota(folder) as disk:
            yield disk
        return
    try:
        ballast = place / "ballast"
        with ballast.open("wb") as file:
            for _ in range((_SIZE - _ROOM) // 4096):
                file.write(bytes(4096))
        path = place / "store.db"
        store = SqlStore(f"sqlite:///{path}")
        yield Disk(store, path, ballast.unlink)
        store.close()
    finally:
        subprocess.run(["umount", str(place)], check=True)


DISKS: dict[str, Callable[[Path], AbstractContextManager[Disk]]] = {
    "quota": _quota,
    "limit": _limit,
    "mounted": _mounted,
}
