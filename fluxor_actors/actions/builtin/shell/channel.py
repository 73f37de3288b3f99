"""A shell with its streams, wherever it runs."""

from __future__ import annotations

import select
from typing import Protocol

__all__ = ["Channel", "is_readable"]


def is_readable(descriptor: int) -> bool:
    """Whether a descriptor is readable now. Not by `select.select`, which knows only the first 1,024."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


class Channel(Protocol):
    """Used by one thread."""

    @property
    def private(self) -> str:
        """Redirections that keep from commands what is the shell's alone."""
        ...

    @property
    def streams(self) -> list[int]:
        """Descriptors of which one is readable when `take` has something; none when the shell has ended."""
        ...

    def send(self, data: bytes) -> None:
        """Write to the shell's standard input.

        Raises:
            OSError: the shell is gone.
        """
        ...

    def take(self) -> list[tuple[bool, bytes]]:
        """What has come, without waiting: whether it came on standard error, and the bytes."""
        ...

    def stop(self, *, hard: bool) -> None:
        """Ask all processes of the session to end, or make them. Never raises."""
        ...

    def close(self) -> int | None:
        """End the session and let go of all there is. The shell's own exit status, if it had ended by itself."""
        ...
