"""The end of an allocator: what runs may finish, and what does not return is left behind."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import Any

import pykka
from attrs import frozen
from pykka import ActorDeadError

from fluxor_actors.actors.lean import LeanRef
from fluxor_actors.actors.messages import Assignment, Drain
from fluxor_actors.actors.seats import Seat

__all__ = ["Leaving", "drain", "unreturned"]


@frozen
class Leaving:
    """Asked by `drain`: what has not returned, and the workers that are about to end."""


def unreturned(running: Iterable[Seat], abandoned: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """The attempts whose actions have not returned: those that somebody waits for, then the others."""
    return (*(seat.assignment for seat in running if seat.assignment is not None), *abandoned)


def drain(allocator: LeanRef[Any], timeout: float) -> tuple[Assignment, ...]:
    """Hand out nothing more, wait for what runs, stop the allocator and its workers. For outsiders only, since it waits.

    Args:
        allocator: a dead one has nothing to drain.
        timeout: seconds.

    Returns:
        The attempts whose actions have not returned. Their threads are daemons and stay until they do: whoever drains tells them to stop, once
        nothing that follows from it can be recorded.
    """
    deadline = time.monotonic() + timeout
    try:
        with contextlib.suppress(pykka.Timeout):
            allocator.ask(Drain(), timeout=timeout)
        # Answered at once, but for a dispatcher that has other things to do.
        answer: Any = allocator.ask(Leaving(), timeout=max(1.0, deadline - time.monotonic()))
        allocator.stop(block=False)
    except (ActorDeadError, pykka.Timeout):
        return ()
    left: tuple[Assignment, ...]
    left, ending = answer
    for worker in ending:
        worker.join(max(0.0, deadline - time.monotonic()))
    return left
