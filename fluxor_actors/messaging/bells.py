"""How a program wakes others that wait at a folder: each waits at a named pipe of its own, and whoever has news writes a byte to every one.

The standard library cannot watch a folder; a named pipe wakes within microseconds, between programs too, and costs nothing while nobody waits.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import math
import os
import select
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Bell", "Bells"]

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Bell:
    """One that waits. Without a pipe it never rings."""

    def __init__(self, fd: int | None = None) -> None:
        self._poll = select.poll()
        if fd is not None:
            self._poll.register(fd, select.POLLIN)

    def wait(self, seconds: float) -> None:
        """Wait until it rings, or has rung since it was hung up, for that long at most."""
        self._poll.poll(max(0, math.ceil(seconds * 1000)))


class Bells:
    """The pipes in a folder.

    Args:
        folder: exists.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    @contextlib.contextmanager
    def hung(self, owner: str) -> Iterator[Bell]:
        """A bell to wait at. Look for what you wait for after this: what comes later rings."""
        path = self._folder / f"{owner}.{next(self._numbers)}"
        try:
            os.mkfifo(path, 0o600)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            # There is nothing to take on a full disk but what is there already: whoever waits looks now and then.
            yield Bell()
            return
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            try:
                yield Bell(fd)
            finally:
                os.close(fd)
        finally:
            path.unlink(missing_ok=True)

    def ring(self) -> None:
        """Wake all who wait."""
        for path in self._folder.iterdir():
            # Gone, or nobody waits at it any more: both are as good as rung.
            with contextlib.suppress(OSError):
                fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                try:
                    os.write(fd, b"\0")
                finally:
                    os.close(fd)

    def remove(self, owner: str) -> None:
        """Take down what a dead one has left."""
        for path in self._folder.glob(f"{owner}.*"):
            path.unlink(missing_ok=True)
