"""What a process can be told. Values; the names in them are run ids. Times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fluxor_actors.light import frozen
from fluxor_actors.policy import Policy
from fluxor_actors.process.failure import Failure

__all__ = [
    "Advance",
    "AttemptFailed",
    "AttemptStarted",
    "AttemptSucceeded",
    "AttemptSuspended",
    "AwaitWork",
    "Cancel",
    "ChildEnded",
    "Command",
    "Decide",
    "EmitTasks",
    "EndWait",
    "FireTimer",
    "Heartbeat",
    "Pause",
    "Recover",
    "Resume",
    "ResumeExecution",
    "ResumeFailed",
    "Signal",
    "Start",
    "Steer",
    "TimerKind",
]


class TimerKind(StrEnum):
    """What a timer is for."""

    DELAY = "delay"
    RETRY = "retry"
    TIMEOUT = "timeout"
    GRACE = "grace"
    HEARTBEAT = "heartbeat"
    APPROVAL = "approval"


@frozen(slots=True)
class Start:
    """Begin. ``initial_state`` are the caller's values; ``tasks`` limits the run to these full ids (empty: all)."""

    process_id: str
    initial_state: Mapping[str, Any]
    tasks: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}
    requested_by: str | None = None
    parent_id: str | None = None
    parent_run: str | None = None
    root_id: str | None = None
    # The values that parameters with a location read, ``kind/location`` to value; gathered before, so that the core reads nothing.
    environment: Mapping[str, Any] = {}
    # What the application attached for its actions to read.
    values: Mapping[str, Any] = {}
    # Which actions may run: what the call says, and, for a child, what holds for its parent.
    policies: tuple[Policy, ...] = ()


@frozen(slots=True)
class AttemptStarted:
    """A worker has begun with an attempt."""

    run: str
    attempt: int


@frozen(slots=True)
class AttemptSucceeded:
    """An attempt returned. ``output`` is plain data; ``started``: when it began."""

    run: str
    attempt: int
    output: Any
    started: float | None = None


@frozen(slots=True)
class AttemptFailed:
    """An attempt raised, timed out, or lost its worker. ``started``: when it began, if it did."""

    run: str
    attempt: int
    failure: Failure
    started: float | None = None


@frozen(slots=True)
class AttemptSuspended:
    """An attempt has handed back its worker and waits, ``timeout`` seconds at most, for the end of the process ``child``.

    ``owned``: it started that process, so that cancelling and pausing reach it.
    """

    run: str
    attempt: int
    child: str
    ignore_error: bool = False
    owned: bool = True
    timeout: float | None = None


@frozen(slots=True)
class ChildEnded:
    """A process that a suspended attempt waits for is final. ``result`` becomes the attempt's output."""

    run: str
    child: str
    state: str
    result: Any
    failure: Failure | None = None


@frozen(slots=True)
class FireTimer:
    """A timer is due. One whose ``due`` is not that of the timer set last is stale and ignored."""

    run: str
    kind: TimerKind
    due: float


@frozen(slots=True)
class Heartbeat:
    """The action says that it is alive."""

    run: str
    attempt: int


@frozen(slots=True)
class Advance:
    """Go on with a run that yielded its turn."""

    run: str


@frozen(slots=True)
class Pause:
    """Start nothing new."""


@frozen(slots=True)
class Resume:
    """Go on."""


@frozen(slots=True)
class Cancel:
    """Stop, but for ``finally``."""

    reason: str = ""


@frozen(slots=True)
class ResumeFailed:
    """Go on after a failure or a cancellation, keeping what is completed."""


@frozen(slots=True)
class Signal:
    """A named value from outside."""

    name: str
    value: Any = None


@frozen(slots=True)
class Steer:
    """Set session values while paused."""

    values: Mapping[str, Any]


@frozen(slots=True)
class Decide:
    """Somebody's answer to the approval request of that id. ``args``: approved with these arguments instead; None: as recorded."""

    request: str
    approved: bool
    reason: str = ""
    decided_by: str | None = None
    args: Any = None


@frozen(slots=True)
class Recover:
    """The engine, or the supervisor, has died and is back: attempts that were under way are lost."""


@frozen(slots=True)
class EmitTasks:
    """Somebody gives work to others: by the action of ``attempt``, as its ``ordinal``-th, or, without these, from outside as ``name``.

    Attributes:
        as_: the name to which an item is bound.
        definitions: the documents of the tasks, one task each, as JSON.
        items: one for each child.
        kinds: for each child, which of the definitions; None when there is one.
        ticket: under which the answer is awaited.
        wait: whether that is the end of all children, and not their beginning.
    """

    run: str
    as_: str
    definitions: tuple[str, ...]
    items: tuple[Any, ...]
    kinds: tuple[int, ...] | None = None
    attempt: int = 0
    ordinal: int = 0
    name: str = ""
    ticket: int = 0
    wait: bool = False


@frozen(slots=True)
class AwaitWork:
    """The action of an attempt waits: for the end of a group, or for the ``value``-th value that `ResumeExecution` brings."""

    run: str
    attempt: int
    ticket: int
    group: str | None = None
    value: int = 0


@frozen(slots=True)
class EndWait:
    """The action of an attempt waits no longer. ``drop``: nor does anybody need what it waited for."""

    run: str
    attempt: int
    ticket: int
    drop: bool = False


@frozen(slots=True)
class ResumeExecution:
    """A value for an action that waits for one, or will."""

    run: str
    value: Any = None


Command = (
    Start
    | AttemptStarted
    | AttemptSucceeded
    | AttemptFailed
    | AttemptSuspended
    | ChildEnded
    | FireTimer
    | Heartbeat
    | Advance
    | Pause
    | Resume
    | Cancel
    | ResumeFailed
    | Signal
    | Steer
    | Decide
    | Recover
    | EmitTasks
    | AwaitWork
    | EndWait
    | ResumeExecution
)
