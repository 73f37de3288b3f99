"""What has happened to runs: how they began, what they opened, how they ended."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fluxor_actors.light import frozen
from fluxor_actors.process.failure import Failure

__all__ = [
    "FanOutBegun",
    "GroupJoined",
    "GroupOpened",
    "ItemsClosed",
    "JumpRequested",
    "Jumped",
    "Outcome",
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
    "RunRevived",
    "RunSkipped",
    "RunWaiting",
    "TimeoutLapsed",
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
class RunRevived:
    """The process was restarted, and the run is bound by its timeout anew."""

    run: str
    due: float


@frozen(slots=True)
class TimeoutLapsed:
    """The timeout of a task with others below it has passed."""

    run: str


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
    """Control is to move to ``target``, below the run, when the children ``leaving`` have ended."""

    run: str
    target: int
    leaving: tuple[str, ...]


@frozen(slots=True)
class Jumped:
    """The run goes on from ``target``, the children ``left`` having ended."""

    run: str
    target: int
    left: tuple[str, ...] = ()
