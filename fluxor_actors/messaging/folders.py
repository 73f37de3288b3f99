"""The folders of a queue on disk, and the names of files in them.

A message is one file from beginning to end. Where it stands says what it is, and its name says the rest: its number in order, how often it has been
delivered, and when it is due. So every step is one renaming, which happens whole or not at all.

```text
working/    what is being written
ready/      <number>-<attempts>
delayed/    <number>-<attempts>-<milliseconds since the epoch>
claimed/    <consumer>/<number>-<attempts>
dead/       <number>-<attempts>
damaged/    what is no message's file
members/    a locked file for each queue object that is open
bells/      a pipe for each consumer that waits
order       the last number
```
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Self

from attrs import field, frozen

__all__ = ["Folders", "Name"]

_NAME = re.compile(r"(\d{20})-(\d{1,9})(?:-(\d{1,18}))?")


@frozen(order=True)
class Name:
    """The name of a message's file. ``due``: in milliseconds; None when it is not delayed.

    Example:
        >>> Name.read("00000000000000000007-2")
        Name(number=7, attempts=2, due=None)
        >>> str(Name(7, 2, 1500)), Name.read("notes.txt")
        ('00000000000000000007-2-1500', None)
    """

    number: int
    attempts: int
    due: int | None = field(default=None, order=False)

    def __str__(self) -> str:
        return f"{self.number:020d}-{self.attempts}" + ("" if self.due is None else f"-{self.due}")

    @classmethod
    def read(cls, text: str) -> Self | None:
        """From a file's name; None when it is no message's."""
        found = _NAME.fullmatch(text)
        if found is None:
            return None
        name = cls(int(found[1]), int(found[2]), None if found[3] is None else int(found[3]))
        # One that is written in another way, with digits of other scripts or more zeros, would be looked for under a name that no file has.
        return name if str(name) == text else None


class Folders:
    """The folders in a place, made if they are not there. ``sync``: what is written reaches the disk."""

    def __init__(self, root: Path, *, sync: bool) -> None:
        self.root = root
        self.sync = sync
        self.order = root / "order"
        self.working = root / "working"
        self.ready = root / "ready"
        self.delayed = root / "delayed"
        self.claimed = root / "claimed"
        self.dead = root / "dead"
        self.damaged = root / "damaged"
        self.members = root / "members"
        self.bells = root / "bells"
        for folder in (
            self.working, self.ready, self.delayed, self.claimed, self.dead, self.damaged, self.members, self.bells,
        ):  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True)

    def write(self, path: Path, text: str) -> None:
        """Write a file that nobody sees yet. Nothing is left of it if that fails, as on a full disk."""
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(text.encode("utf-8"))
                if self.sync:
                    file.flush()
                    os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
