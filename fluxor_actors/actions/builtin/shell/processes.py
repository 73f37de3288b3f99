"""Ending all processes of a session."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

__all__ = ["end_session"]

_ROUNDS = 20
"""How often it is looked for processes that were started meanwhile."""
_ENDED = "ZX"


def end_session(leader: int, *, hard: bool) -> None:
    """Ask all processes of a session to end, or make them. Never raises.

    ``timeout`` and shells with job control give commands process groups of their own, which the leader's does not reach. Where there is no ``/proc`` to
    find them by, only the leader's is ended.

    Args:
        leader: the session's number, whose process is not reaped yet.
        hard: whether they have no choice.
    """
    number = signal.SIGKILL if hard else signal.SIGTERM
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
    asked: set[int] = set()
    for _ in range(_ROUNDS):
        found = [process for process, group in _members(leader) if group != leader and process not in asked]
        if not found:
            return
        for process in found:
            asked.add(process)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, number)


def _members(session: int) -> Iterator[tuple[int, int]]:
    """The processes of a session that have not ended, with their groups."""
    with contextlib.suppress(OSError):
        for place in Path("/proc").iterdir():
            if not place.name.isdigit():
                continue
            with contextlib.suppress(OSError, ValueError, IndexError):
                # The name of the program, which may hold anything, ends with the last parenthesis.
                fields = (place / "stat").read_bytes().rpartition(b")")[2].split()
                if int(fields[3]) == session and fields[0].decode() not in _ENDED:
                    yield int(place.name), int(fields[2])
