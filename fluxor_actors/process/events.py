"""What has happened in a process: facts, in the past tense, in plain data.

Names in them are run ids, numbers are task numbers of the plan, times are seconds since the epoch. The results of expressions are
recorded, so that replaying evaluates nothing; what follows from other events is not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from attrs import field

from fluxor_actors.process.failure import Failure

if TYPE_CHECKING:
    from attrs import frozen
else:
    # Frozen for the type checker. At run time several of them are made for each task, and frozen ones cost three times as much to make.
    from attrs import define as frozen

__all__ = [
    "AttemptBegun",
    "AttemptScheduled",
    "CancelSignalled",
    "ChildAwaited",
    "Event",
    "FanOutBegun",
    "GroupJoined",
    "GroupOpened",
    "HeartbeatReceived",
    "ItemsClosed",
    "JumpRequested",
    "Jumped",
    "Outcome",
    "PauseRequested",
    "ProcessCancelRequested",
    "ProcessCancelled",
    "ProcessCompleted",
    "ProcessFailed",
    "ProcessPaused",
    "ProcessRestarted",
    "ProcessResumed",
    "ProcessStarted",
    "ResultDropped",
    "RetryScheduled",
    "RunAdmitted",
    "RunAdopted",
    "RunCancelled",
    "RunClosing",
    "RunCompleted",
    "RunDelayed",
    "RunEntered",
    "RunFailed",
    "RunHeld",
    "RunOpened",
    "RunQueued",
    "RunReleased",
    "RunSkipped",
    "RunWaiting",
    "SessionSteered",
    "SignalAwaited",
    "SignalReceived",
    "SignalTaken",
    "Write",
]


class Outcome(StrEnum):
    """How a task with others below it ends, once these have."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LEFT = "left"


@frozen(slots=True)
class Write:
    """A value set by ``post``, in the nearest scope that has the name: at ``path``, or appended to the list there."""

    path: tuple[str, ...]
    value: Any
    append: bool = False


@frozen(slots=True)
class ProcessStarted:
    """A process was accepted. ``session`` holds the caller's values and what ``init`` made of them."""

    process_id: str
    workflow: str
    version: str
    definition_hash: str
    session: Mapping[str, Any]
    tasks: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(factory=dict)
    requested_by: str | None = None
    parent_id: str | None = None
    parent_run: str | None = None
    root_id: str | None = None
    environment: Mapping[str, Any] = field(factory=dict)
    values: Mapping[str, Any] = field(factory=dict)


@frozen(slots=True)
class PauseRequested:
    """Nothing new starts from here on. ``task``: the one whose ``autoPause`` asked for it."""

    task: int | None = None


@frozen(slots=True)
class ProcessPaused:
    """Nothing is under way any more."""


@frozen(slots=True)
class ProcessResumed:
    """Held work goes on."""


@frozen(slots=True)
class ProcessCancelRequested:
    """Everything but ``finally`` is to stop."""

    reason: str


@frozen(slots=True)
class ProcessCancelled:
    """The end, by cancellation. ``failure``: of a ``finally`` on the way."""

    failure: Failure | None = None


@frozen(slots=True)
class ProcessCompleted:
    """The end, as it should be."""


@frozen(slots=True)
class ProcessFailed:
    """The end, by a failure that nothing caught."""

    failure: Failure


@frozen(slots=True)
class ProcessRestarted:
    """What failed or was cancelled is pending again."""


@frozen(slots=True)
class SessionSteered:
    """Session values were set from outside."""

    values: Mapping[str, Any]


@frozen(slots=True)
class SignalReceived:
    """A named value came from outside."""

    name: str
    value: Any


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


@frozen(slots=True)
class RunOpened:
    """A run of a task exists. ``parent`` is None for the root's.

    Attributes:
        index: which item of its fan-out.
        variables: what a further selector set, or ``catch`` sees.
        demanded: started because another task depends on it.
        target: it is entered on the way to this task, by a jump.
    """

    run: str
    task: int
    parent: str | None
    iteration: int = 1
    index: int | None = None
    variables: Mapping[str, Any] | None = None
    demanded: bool = False
    target: int | None = None


@frozen(slots=True)
class RunAdopted:
    """The sequence has come to a task that was started on demand before, by the run ``child`` (None: it has ended)."""

    run: str
    task: int
    child: str | None = None


@frozen(slots=True)
class RunHeld:
    """The process is pausing; the run waits for its resumption."""

    run: str


@frozen(slots=True)
class RunWaiting:
    """The run waits for tasks that it depends on."""

    run: str
    tasks: tuple[int, ...]


@frozen(slots=True)
class RunReleased:
    """What the run waited for is there; ``stage`` is what comes next."""

    run: str
    stage: int


@frozen(slots=True)
class RunQueued:
    """The run waits for a place under its parent's ``concurrency``."""

    run: str


@frozen(slots=True)
class RunAdmitted:
    """The run has a place under its parent's ``concurrency``."""

    run: str


@frozen(slots=True)
class RunDelayed:
    """The run starts when it is ``due``."""

    run: str
    due: float


@frozen(slots=True)
class RunEntered:
    """The condition held and ``init`` was evaluated. ``variables`` is None where there is no ``init``; ``due``: the task's timeout."""

    run: str
    variables: Mapping[str, Any] | None = None
    due: float | None = None


@frozen(slots=True)
class RunSkipped:
    """The condition did not hold."""

    run: str


@frozen(slots=True)
class FanOutBegun:
    """The items are known."""

    run: str
    items: tuple[Any, ...]


@frozen(slots=True)
class GroupOpened:
    """An emitting task goes on without its children, which run in a group of their own."""

    run: str
    group: str
    parent: str
    items: tuple[Any, ...]


@frozen(slots=True)
class GroupJoined:
    """The run waits for a group's results; from ``due`` on no longer."""

    run: str
    group: str
    due: float | None = None


@frozen(slots=True)
class ItemsClosed:
    """Enough of the group's results are there: the rest is cancelled."""

    run: str


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
class RunCompleted:
    """The run has its output, and ``post`` its results.

    Attributes:
        goto: the task where control moves.
        started: when the attempt began, if no `AttemptBegun` says so.
    """

    run: str
    output: Any
    writes: tuple[Write, ...] = ()
    goto: int | None = None
    started: float | None = None


@frozen(slots=True)
class RunFailed:
    """The run failed. ``output`` is kept when only what follows the action failed (``has_output``)."""

    run: str
    failure: Failure
    output: Any = None
    has_output: bool = False
    started: float | None = None


@frozen(slots=True)
class RunCancelled:
    """The run was stopped, or never started."""

    run: str


@frozen(slots=True)
class RunClosing:
    """What is below the run is told to stop; the run ends with ``outcome`` when it has."""

    run: str
    outcome: Outcome
    failure: Failure | None = None


@frozen(slots=True)
class JumpRequested:
    """Control is to move to ``target`` when the child ``leaving`` has ended."""

    run: str
    target: int
    leaving: str


@frozen(slots=True)
class Jumped:
    """The run goes on from ``target``."""

    run: str
    target: int


Event = (
    ProcessStarted
    | PauseRequested
    | ProcessPaused
    | ProcessResumed
    | ProcessCancelRequested
    | ProcessCancelled
    | ProcessCompleted
    | ProcessFailed
    | ProcessRestarted
    | SessionSteered
    | SignalReceived
    | SignalAwaited
    | SignalTaken
    | RunOpened
    | RunAdopted
    | RunHeld
    | RunWaiting
    | RunReleased
    | RunQueued
    | RunAdmitted
    | RunDelayed
    | RunEntered
    | RunSkipped
    | FanOutBegun
    | GroupOpened
    | GroupJoined
    | ItemsClosed
    | AttemptScheduled
    | AttemptBegun
    | HeartbeatReceived
    | ChildAwaited
    | RetryScheduled
    | ResultDropped
    | CancelSignalled
    | RunCompleted
    | RunFailed
    | RunCancelled
    | RunClosing
    | JumpRequested
    | Jumped
)
