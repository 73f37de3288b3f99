"""The end of an allocator: what runs may finish, and what does not return is left behind."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pykka
from attrs import frozen
from pykka import ActorDeadError

from fluxor_actors.actors.lean import LeanRef
from fluxor_actors.actors.messages import Drain

__all__ = ["Leaving", "drain"]


@frozen
class Leaving:
    """Asked by `drain`: what has not returned, and the workers that are about to end."""


def drain(allocator: LeanRef[Any], timeout: float) -> tuple[str, ...]:
    """Hand out nothing more, wait for what runs, stop the allocator and its workers. For outsiders only, since it waits.

    Args:
        allocator: a dead one has nothing to drain.
        timeout: seconds.

    Returns:
        The ids of executions whose actions have not returned. Their threads are daemons and stay until they do.
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
    status, ending = answer
    for worker in ending:
        worker.join(max(0.0, deadline - time.monotonic()))
    left: tuple[str, ...] = status.running + status.abandoned
    return left
