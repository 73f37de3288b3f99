"""The files of a queue that can be taken, in order, without listing a folder each time."""

from __future__ import annotations

import time
from bisect import insort
from collections import deque
from collections.abc import Callable
from pathlib import Path

from fluxor_actors.messaging.folders import Name

__all__ = ["Backlog"]

_BLUR = 100_000_000
"""Nanoseconds within which two changes of a folder may bear the same time."""
_SHARE = 10
"""While there is other work, listing what is delayed may take one part in so many of the time."""


class Backlog:
    """What is ready, and what is delayed. Not safe between threads.

    Others take from the folders too: what comes from here may be gone.

    Args:
        ready: a folder.
        delayed: a folder.
        put_aside: takes a file away that has no message's name, with the reason.
    """

    def __init__(self, ready: Path, delayed: Path, put_aside: Callable[[Path, str], None]) -> None:
        self._ready_folder = ready
        self._delayed_folder = delayed
        self._put_aside = put_aside
        self._ready: deque[Name] = deque()
        self._delayed: list[Name] = []
        self._listed: int | None = None
        self._list_again = 0.0

    @property
    def due(self) -> int | None:
        """When the next of the delayed is due, in milliseconds; as far as was known at the last `next`."""
        return self._delayed[0].due if self._delayed else None

    def delay(self, name: Name) -> None:
        """One more is delayed, by this program."""
        insort(self._delayed, name, key=_by_due)

    def next(self, now: int) -> tuple[Path, Name] | None:
        """The next at ``now``, in milliseconds since the epoch, with its file."""
        if not self._ready:
            self._ready.extend(sorted(self._list(self._ready_folder)))
        # What others delay is looked for at once when there is nothing else, and now and then otherwise: in a large folder that takes long.
        if not self._ready or time.monotonic() >= self._list_again:
            self._list_delayed()
        late = self._delayed[0] if self._delayed and (self._delayed[0].due or 0) <= now else None
        if late is not None and (not self._ready or late < self._ready[0]):
            del self._delayed[0]
            return self._delayed_folder / str(late), late
        if self._ready:
            name = self._ready.popleft()
            return self._ready_folder / str(name), name
        return None

    def _list_delayed(self) -> None:
        changed = self._delayed_folder.stat().st_mtime_ns
        if changed == self._listed:
            return
        # A folder that has just been changed may be so again, at the same time by its clock.
        self._listed = changed if time.time_ns() - changed > _BLUR else None
        begun = time.monotonic()
        self._delayed = sorted(self._list(self._delayed_folder), key=_by_due)
        self._list_again = begun + (time.monotonic() - begun) * _SHARE

    def _list(self, folder: Path) -> list[Name]:
        found = []
        for path in folder.iterdir():
            name = Name.read(path.name)
            if name is None:
                self._put_aside(path, "no message has such a name")
            else:
                found.append(name)
        return found


def _by_due(name: Name) -> tuple[int, Name]:
    return name.due or 0, name
