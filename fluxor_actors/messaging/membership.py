"""Who uses a folder's queue: a locked file for each, held as long as it lives, so that the others can tell when it is dead.

The system takes a lock away from a program that ends, however it ends. A file is locked before it gets its place, and it is deleted
by whoever holds its lock, so nobody is ever taken for dead who is just coming or going.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import uuid
import weakref
from collections.abc import Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

__all__ = ["Member", "departed"]

_SUFFIX = ".lock"


class Member:
    """One that uses the queue.

    A program that is forked must make one of its own: a child keeps its parent's locks, even when the parent is dead.

    Args:
        members: the folder of all.
        working: a folder on the same file system, for what has no place yet.
        order: the file that publishers lock in turn.

    Attributes:
        id: unlike all others.
        pid: the program that it belongs to.
    """

    def __init__(self, members: Path, working: Path, order: Path) -> None:
        self.id = uuid.uuid4().hex
        self.pid = os.getpid()
        self._path = members / f"{self.id}{_SUFFIX}"
        arriving = working / f"{self.id}{_SUFFIX}"
        fd = os.open(arriving, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        arriving.rename(self._path)
        self._order = os.open(order, os.O_RDWR | os.O_CREAT, 0o600)
        self._close = weakref.finalize(self, _close, fd, self._order)

    @contextlib.contextmanager
    def turn(self) -> Iterator[int]:
        """Be the only publisher, with the next number in order. One thread at a time."""
        fcntl.flock(self._order, fcntl.LOCK_EX)
        try:
            text = os.pread(self._order, 32, 0)
            # Whatever becomes of the file or of the clock, numbers go up.
            number = max(time.time_ns(), int(text) + 1 if text.isdigit() else 0)
            os.pwrite(self._order, b"%020d" % number, 0)
            yield number
        finally:
            fcntl.flock(self._order, fcntl.LOCK_UN)

    def leave(self) -> None:
        """Go. Nothing may be left behind."""
        if os.getpid() == self.pid:
            self._path.unlink(missing_ok=True)
        self._close()


@contextlib.contextmanager
def departed(members: Path, own: str) -> Iterator[list[str]]:
    """The members that are dead, by their ids, to be cleared up. Nobody else has them meanwhile; afterwards they are forgotten."""
    found: list[tuple[Path, int]] = []
    try:
        for path in members.iterdir():
            if path.suffix == _SUFFIX and path.stem != own:
                with contextlib.suppress(OSError):  # it lives, or has been cleared up just now
                    found.append((path, _lock(path)))
        yield [path.stem for path, _ in found]
        for path, _ in found:
            path.unlink(missing_ok=True)
    finally:
        for _, fd in found:
            os.close(fd)


def _lock(path: Path) -> int:
    fd = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return fd


def _close(*fds: int) -> None:
    for fd in fds:
        os.close(fd)
