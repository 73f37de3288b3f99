"""Why a process is where it is, as plain values. See `fluxor_actors.process.explaining` for how they are found."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from fluxor_actors.process.states import ProcessState

__all__ = ["Cause", "Explanation", "Waiting"]


class Cause(StrEnum):
    """What one run waits for."""

    ACTION = "action"
    APPROVAL = "approval"
    CHILD = "child"
    DEPENDENCY = "dependency"
    GROUP = "group"
    LIMIT = "limit"
    PAUSE = "pause"
    PLACE = "place"
    RETRY = "retry"
    SIGNAL = "signal"
    TIMER = "timer"
    TURN = "turn"
    WORKER = "worker"

    @property
    def outside(self) -> bool:
        """Whether it comes to an end by itself or by somebody outside, and not only by other runs of the process."""
        return self not in (Cause.DEPENDENCY, Cause.GROUP, Cause.PLACE)


@frozen(kw_only=True)
class Waiting:
    """One run that waits, or is under way.

    Attributes:
        execution_id: which one.
        task_id: of which task.
        cause: what it waits for.
        on: whom or what exactly: a signal's name, a process's id, tasks, the action.
        since: from when on.
        until: when it ends at the latest, by a timer.
        remedy: the command that frees it; empty where only time, or another line, does.
    """

    execution_id: str
    task_id: str
    cause: Cause
    on: str = ""
    since: datetime | None = None
    until: datetime | None = None
    remedy: str = ""


@frozen(kw_only=True)
class Explanation:
    """Why a process is where it is, and what would move it.

    Attributes:
        reason: in one sentence.
        since: when it came into its state.
        remedy: the command that takes up the whole process; empty where nothing does, or nothing needs to.
        waiting: each run that waits, in the order in which they were opened.
        children: of the processes that are waited for, what is known here.
        notes: what concerns the whole: nobody runs it, commands that are not taken, a store that cannot be reached.
    """

    process_id: str
    workflow: str
    state: ProcessState
    reason: str
    since: datetime | None = None
    remedy: str = ""
    waiting: tuple[Waiting, ...] = ()
    children: tuple[Explanation, ...] = ()
    notes: tuple[str, ...] = ()
