"""What actors tell one another. Frozen values, one class a message; nobody sends a dict, a string or a proxy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from fluxor_actors.approval import Ballot, Decision, Request
from fluxor_actors.events import Event
from fluxor_actors.light import frozen
from fluxor_actors.process.commands import Command, Start, TimerKind
from fluxor_actors.process.plan import Plan
from fluxor_actors.storage import Append, Journal

if TYPE_CHECKING:
    from fluxor_actors.actions.cancellation import Cancellation

__all__ = [
    "Abandon",
    "Adopt",
    "AllocatorStatus",
    "Answered",
    "Asked",
    "Assignment",
    "Begin",
    "CancelTimer",
    "Describe",
    "Drain",
    "Forward",
    "Lapsed",
    "Leave",
    "LookAround",
    "Mailbox",
    "ProcessOver",
    "ProcessResting",
    "Publish",
    "Reach",
    "ReclaimSlot",
    "ReleaseSlot",
    "Remote",
    "ReportRunning",
    "ReportStatus",
    "Rest",
    "SetTimer",
    "StartProcess",
    "Started",
    "SupervisorFailed",
    "Voted",
    "Wake",
    "Withdraw",
    "WorkerIdle",
    "WorkerLost",
    "Write",
    "WriteFailed",
    "Written",
]


class Mailbox(Protocol):
    """Where a message can be put: a `pykka.ActorRef`, or a list in a test."""

    def tell(self, message: Any) -> None: ...


@frozen(slots=True, eq=False)
class Assignment:
    """To the allocator, then to a worker: carry out one attempt.

    ``supervisor`` is told `AttemptStarted` if it wants to be (``tell_start``), then one of `AttemptSucceeded`, `AttemptFailed` and
    `AttemptSuspended`. ``session`` makes a copy of the variables in sight of the task when somebody asks for it.
    """

    process_id: str
    run: str
    task_id: str
    attempt: int
    service: str
    method: str
    input: Any
    idempotency_key: str
    supervisor: Mailbox
    cancellation: Cancellation
    session: Callable[[], Mapping[str, Any]]
    timeout: float | None = None
    tell_start: bool = True
    origin: Any = None  # what the engine needs to build the action's context; opaque to allocator and worker


@frozen(slots=True)
class Abandon:
    """To the allocator: nobody waits for this attempt any more. Drop it if queued; if a worker is at it, replace the worker."""

    process_id: str
    run: str
    attempt: int


@frozen(slots=True)
class Withdraw:
    """To the allocator: if no worker has begun with this attempt, drop it and tell its supervisor that it was cancelled."""

    process_id: str
    run: str
    attempt: int


@frozen(slots=True, eq=False)
class WorkerIdle:
    """From a worker to the allocator: done with what it had."""

    worker: Any
    assignment: Assignment


@frozen(slots=True, eq=False)
class WorkerLost:
    """From a dying worker thread to the allocator."""

    worker: Any
    assignment: Assignment | None


@frozen(slots=True, eq=False)
class ReleaseSlot:
    """From a running action to the allocator: it waits, and somebody else may have its place meanwhile.

    ``cut`` is called when the engine stops and none is left that could bring about what it waits for. It must not block.
    """

    assignment: Assignment
    cut: Callable[[], object] | None = None


@frozen(slots=True, eq=False)
class ReclaimSlot:
    """Asked of the allocator by an action that has waited. The answer comes when there is a place for it; ``at_once``: whether or not."""

    assignment: Assignment
    at_once: bool = False


@frozen(slots=True)
class Drain:
    """Asked of the allocator: hand out nothing more. The answer, `AllocatorStatus`, comes when nothing runs any more."""


@frozen(slots=True)
class ReportRunning:
    """Asked of the allocator: run to the time since when a worker is at it, for one process."""

    process_id: str


@frozen(slots=True)
class ReportStatus:
    """Asked of the allocator. The answer is an `AllocatorStatus`."""


@frozen(slots=True)
class AllocatorStatus:
    """What the allocator is doing.

    Attributes:
        queued: attempts that wait for a worker.
        running: ids of the executions that workers are at, without abandoned ones.
        abandoned: ids of the executions that nobody waits for any more and whose action has not returned.
        idle: workers with nothing to do.
        workers: threads, without those of abandoned actions.
        lost: how many workers have had to be replaced so far.
    """

    queued: int
    running: tuple[str, ...]
    abandoned: tuple[str, ...]
    idle: int
    workers: int
    lost: int


@frozen(slots=True, eq=False)
class Publish:
    """To the event bus: what to give to subscribers, in this order."""

    events: tuple[Event[Any], ...]


@frozen(slots=True)
class SetTimer:
    """To the timer: when it is ``due`` (seconds since the epoch), deliver a `FireTimer` to the process."""

    process_id: str
    run: str
    kind: TimerKind
    due: float


@frozen(slots=True)
class CancelTimer:
    """To the timer: forget it. Unknown ones are ignored."""

    process_id: str
    run: str
    kind: TimerKind


@frozen(slots=True, eq=False)
class StartProcess:
    """Asked of the guardian: start a process, or find the one that has this id. Answered once the start is committed.

    ``fresh``: the id was made for this process, so a store need not be asked whether there is one; it refuses an id that is taken.
    """

    plan: Plan
    command: Start
    fresh: bool = False


@frozen(slots=True)
class Started:
    """The guardian's answer. ``existing``: there was a process of this id already."""

    process_id: str
    existing: bool


@frozen(slots=True)
class Forward:
    """To the guardian: bring a command to a process, waking it if it must. One that is unknown loses it."""

    process_id: str
    command: Command


@frozen(slots=True)
class Reach:
    """Asked of the guardian: the supervisor of a process, woken if it must.

    Raises:
        ProcessNotFoundError: there is no such process.
    """

    process_id: str


@frozen(slots=True, eq=False)
class ProcessOver:
    """From a supervisor to the guardian: the process has ended, and the supervisor with it.

    ``ended`` says how, if it has ended just now; a process that never began has not.
    """

    process_id: str
    supervisor: Any
    ended: Any = None


@frozen(slots=True, eq=False)
class SupervisorFailed:
    """From a dying supervisor to the guardian."""

    process_id: str
    supervisor: Any
    error: BaseException


@frozen(slots=True, eq=False)
class Begin:
    """To a supervisor: start the process unless it has begun, and answer ``reply`` once that is committed.

    To the guardian: the supervisor ended before it came to this.
    """

    plan: Plan
    command: Start
    reply: Any


@frozen(slots=True)
class Describe:
    """Asked of a supervisor: a `Process` snapshot."""


@frozen(slots=True)
class Adopt:
    """To the guardian: these processes are this engine's from now on; go on with them."""

    process_ids: tuple[str, ...]


@frozen(slots=True)
class LookAround:
    """To the guardian: processes of other engines may have ended that some here wait for."""


@frozen(slots=True, eq=False)
class Remote:
    """Asked of a supervisor: a command of another program, whose answer is to be committed with what follows from it.

    The answer: the state, and whether that stands in the store.
    """

    id: str
    command: Command


@frozen(slots=True)
class Rest:
    """Asked of a supervisor: may the process be left to the store? The answer is a `Parked`, or None."""


@frozen(slots=True)
class Leave:
    """To a supervisor: the store keeps the process as it was after event ``sequence``. If nothing has happened since, end."""

    sequence: int


@frozen(slots=True, eq=False)
class ProcessResting:
    """From a supervisor to the guardian: the process is left to the store, and the supervisor ends."""

    process_id: str
    supervisor: Any


@frozen(slots=True, eq=False)
class Write:
    """To the journal: commit this, and tell the supervisor."""

    append: Append
    supervisor: Mailbox


@frozen(slots=True)
class Written:
    """From the journal to a supervisor: the oldest of its writes that was not answered is committed."""


@frozen(slots=True, eq=False)
class WriteFailed:
    """From the journal to a supervisor: a write was refused, and those after it will be."""

    error: BaseException


@frozen(slots=True)
class Wake:
    """To a supervisor that stands in for one that died: take up the process.

    ``journal``: the process's, where it was read along with others; None has the supervisor read it.
    """

    journal: Journal | None = None


@frozen(slots=True)
class Asked:
    """To the gate: somebody has to be asked. ``again``: it may have been told of before, since its process was taken up anew."""

    request: Request
    again: bool = False


@frozen(slots=True)
class Voted:
    """To the gate: one of several has agreed, and more are needed. ``ballots``: who has so far; ``at``: seconds since the epoch."""

    request: Request
    ballots: tuple[Ballot, ...]
    at: float


@frozen(slots=True)
class Answered:
    """To the gate: a request is decided, and that is committed. With nobody in ``decided_by`` it may have been the clock."""

    request: Request
    decision: Decision


@frozen(slots=True)
class Lapsed:
    """To the gate: a request is closed without anybody's answer.

    ``expired``: its time is over, and an `Answered` follows; else it was withdrawn, as nobody needs it any more. ``at``: seconds since
    the epoch.
    """

    request: Request
    at: float
    expired: bool
    reason: str


Deliver = Callable[[str, Command], None]
"""Brings a command to a process by its id, waking it if it must."""
