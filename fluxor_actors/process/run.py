"""One run of one task, and what it keeps of those below it."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from attrs import frozen

from fluxor_actors.process.asking import Asking
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.delegation import Delegation
from fluxor_actors.process.events import Outcome
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.plan import TaskPlan
from fluxor_actors.process.scope import Scope
from fluxor_actors.process.states import ExecutionState

__all__ = ["Body", "Departure", "FanBody", "Frame", "Phase", "Run", "Stage"]


class Phase(StrEnum):
    """What a task with others below it is at."""

    BODY = "body"
    DRAINING = "draining"
    CATCH = "catch"
    FINALLY = "finally"


class Stage:
    """What a run that has not been entered has behind it."""

    NEW = 0
    DEPENDENCIES = 1
    DELAY = 2
    PLACE = 3


class Frame:
    """What is known of tasks once in a process, or once in an item: which have ended, which are live, who waits for them."""

    __slots__ = ("done", "groups", "live", "owner", "parent", "prefetched", "task", "waiters")

    def __init__(self, owner: str, task: int, parent: Frame | None) -> None:
        self.owner = owner
        self.task = task
        self.parent = parent
        self.done: dict[int, ExecutionState] = {}
        self.live: dict[int, str] = {}
        self.waiters: dict[int, list[str]] = {}
        #: the latest group of each emitting task
        self.groups: dict[int, str] = {}
        #: started on demand, not yet come to by their sequence
        self.prefetched: set[int] = set()

    def of(self, task: TaskPlan) -> Frame:
        """The frame, this one or one around it, in which that task runs."""
        frame = self
        while frame.parent is not None and frame.task != task.frame:
            frame = frame.parent
        return frame


@frozen(slots=True)
class Departure:
    """Control is on its way to a target, and waits for children to end. For an item that starts over: which, and how often."""

    target: int
    leaving: tuple[str, ...] = ()
    index: int | None = None
    iteration: int = 1


class Body:
    """The children of a run: counters, never scans."""

    __slots__ = (
        "before", "blocking", "caught", "children", "counts", "cursor", "failure", "finalized", "foreign", "interrupted", "jumps", "kept",
        "open", "outcome", "phase", "places", "queue", "results",
    )  # fmt: skip

    def __init__(self) -> None:
        #: live children, by run id
        self.children: dict[str, Run] = {}
        #: ended ones that still matter: failed, cancelled, groups that may be joined
        self.kept: dict[str, Run] = {}
        #: how many have not ended: the live children and the foreign ones
        self.open = 0
        #: the position of the next child, or the index of the next item
        self.cursor = 0
        #: the child that the sequence waits for
        self.blocking: str | None = None
        #: children that were started on demand and run elsewhere, by task
        self.foreign: dict[int, str] = {}
        self.phase = Phase.BODY
        self.outcome: Outcome | None = None
        #: the outcome that a later one has overridden, where the body itself had been done or left
        self.before: Outcome | None = None
        self.failure: Failure | None = None
        #: whether ``catch``, and ``finally``, have had their turn
        self.caught = False
        self.finalized = False
        #: where to go on when a child has ended; and where it would have gone on, had it not been stopped
        self.jumps: dict[str, Departure] = {}
        self.interrupted: dict[str, Departure] = {}
        self.results: dict[str, Any] = {}
        #: how often each child ran, where it may run again
        self.counts: dict[int, int] = {}
        #: how many places under ``concurrency`` are taken, and who waits for one
        self.places = 0
        self.queue: deque[str] = deque()


class FanBody(Body):
    """The items of a run."""

    __slots__ = ("emitter", "failed", "first", "items", "joined", "kinds", "last", "outputs", "succeeded")

    def __init__(self, items: tuple[Any, ...]) -> None:
        super().__init__()
        self.items = items
        self.outputs: list[Any] = [None] * len(items)
        self.succeeded = 0
        self.failed = 0
        #: indexes of the first and of the latest to complete
        self.first: int | None = None
        self.last: int | None = None
        #: of a group: the run that waits for it
        self.joined: str | None = None
        #: of a group that an action has emitted: its run, and which body each item has
        self.emitter: str | None = None
        self.kinds: tuple[int, ...] | None = None


class Run:
    """One run of one task in one iteration."""

    __slots__ = (
        "admitted", "approval", "asked", "attempt", "body", "child", "delegated", "demanded", "entered", "failure", "frame", "group", "has_output", "id", "ignore_error",
        "index", "input", "iteration", "missing", "output", "owns_child", "parent", "scheduled", "scope", "signal", "signalled", "stage",
        "status", "stepped", "target", "task", "timers", "tries",
    )  # fmt: skip

    def __init__(self, id: str, task: TaskPlan, parent: Run | None, scope: Scope, frame: Frame) -> None:  # noqa: A002 - its name
        self.id = id
        self.task = task
        self.parent = parent
        self.scope = scope
        self.frame = frame
        self.status = ExecutionState.PENDING
        self.iteration = 1
        self.index: int | None = None
        self.stage = Stage.NEW
        #: how many of the tasks that it waits for have not ended
        self.missing = 0
        #: a jump passes through it on the way to this task
        self.target: int | None = None
        self.demanded = False
        #: the group of a task that has gone on without it
        self.group = False
        self.admitted = False
        self.entered = False
        #: its process was paused before it, by stepping
        self.stepped = False
        self.body: Body | None = None
        self.input: Any = None
        self.scheduled = False
        #: the number of the latest attempt, and how many there were since the run was last (re)started
        self.attempt = 0
        self.tries = 0
        self.output: Any = None
        self.has_output = False
        self.failure: Failure | None = None
        #: it was asked to stop
        self.signalled = False
        #: the process, group or signal that it waits for
        self.child: str | None = None
        self.owns_child = False
        self.ignore_error = False
        self.signal: str | None = None
        self.timers: dict[TimerKind, float] = {}
        #: the request for approval that was made last, and how many there were
        self.approval: Asking | None = None
        self.asked = 0
        #: what its action has given to others
        self.delegated: Delegation | None = None

    if TYPE_CHECKING:

        @property
        def below(self) -> Body:
            """The children of a composite's run."""

        @property
        def fan(self) -> FanBody:
            """The items of a fan-out's run."""

    @property
    def waiting(self) -> bool:
        """Whether its action is under way, and waits for what it has asked of the engine."""
        return self.delegated is not None and bool(self.delegated.waits)

    @property
    def awaits_groups(self) -> bool:
        """Whether it waits for what its action has emitted, and for nothing that comes from outside."""
        given = self.delegated
        if given is None:
            return False
        return bool(given.collecting) or (
            bool(given.waits) and all(isinstance(each, str) for each in given.waits.values())
        )

    @property
    def displaced(self) -> bool:
        """Whether it was started on demand under another task than its own parent."""
        return self.demanded and self.parent is not None and self.parent.task.number != self.task.parent


if not TYPE_CHECKING:
    # The body under the name that says which kind it is: read several times a step, so without a call.
    Run.below = Run.fan = Run.body
