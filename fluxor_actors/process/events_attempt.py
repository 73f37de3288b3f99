"""What has happened to attempts at actions, and to waits for signals."""

from __future__ import annotations

from typing import Any

from fluxor_actors.light import frozen
from fluxor_actors.process.failure import Failure

__all__ = [
    "AttemptBegun",
    "AttemptScheduled",
    "CancelSignalled",
    "ChildAwaited",
    "HeartbeatReceived",
    "ResultDropped",
    "RetryScheduled",
    "SignalAwaited",
    "SignalTaken",
]


@frozen(slots=True)
class AttemptScheduled:
    """An attempt was handed out. ``input`` is that of the first attempt; later ones have the same."""

    run: str
    attempt: int
    input: Any = None


@frozen(slots=True)
class AttemptBegun:
    """A worker has begun. ``due``: when it times out. ``heartbeat``: when silence fails it."""

    run: str
    attempt: int
    due: float | None = None
    heartbeat: float | None = None


@frozen(slots=True)
class HeartbeatReceived:
    """The action is alive; silence until ``due`` fails the attempt."""

    run: str
    due: float


@frozen(slots=True)
class ChildAwaited:
    """The attempt waits for the end of another process; from ``due`` on no longer."""

    run: str
    attempt: int
    child: str
    ignore_error: bool = False
    owned: bool = True
    due: float | None = None


@frozen(slots=True)
class RetryScheduled:
    """The attempt failed, and another follows when it is ``due``. ``crashed``: with its engine, which is no try."""

    run: str
    failure: Failure
    due: float
    crashed: bool = False


@frozen(slots=True)
class ResultDropped:
    """An attempt ended that nobody waits for any more."""

    run: str
    attempt: int
    succeeded: bool


@frozen(slots=True)
class CancelSignalled:
    """The action was asked to stop; from ``due`` on its result is not waited for."""

    run: str
    due: float


@frozen(slots=True)
class SignalAwaited:
    """The run waits for a signal; from ``due`` on no longer."""

    run: str
    name: str
    due: float | None = None


@frozen(slots=True)
class SignalTaken:
    """The oldest waiting signal of that name went to the run."""

    run: str
    name: str
