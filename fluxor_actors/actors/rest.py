"""When a process may be left to the store: nothing of it is under way."""

from __future__ import annotations

from fluxor_actors.actors.folding import Folding
from fluxor_actors.process.plan import Flow
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState, ProcessState
from fluxor_actors.storage.durable import Parked

__all__ = ["parked_of"]

_WORTH = 2.0  # seconds: who is to be woken sooner stays


def parked_of(state: State, now: float, folding: Folding | None) -> Parked | None:
    """How the store is to keep the process; None when it has something under way, or soon will.

    The store wakes a process whose own sub-workflow ends. One that waits for somebody else's process stays: nobody but its supervisor
    would hear of an end that an engine's death has left untold.
    """
    status = state.status
    if state.active or state.queued or status not in (ProcessState.RUNNING, ProcessState.PAUSED):
        return None
    due: float | None = None
    children: list[str] = []
    for run in state.runs.values():
        if run.waiting:
            return None  # a thread of its action waits
        if run.child is not None and run.status is ExecutionState.WAIT_ASYNC and run.task.flow is Flow.ACTION:
            if not run.owns_child:
                return None
            children.append(run.child)
        for at in run.timers.values():
            due = at if due is None or at < due else due
    if status is ProcessState.PAUSED:
        # What falls due meanwhile waits for the end of the pause.
        due = None
    elif due is not None and due < now + _WORTH:
        return None
    fold = None if folding is None else folding.rest(state)
    if fold is None:
        return Parked(state.id, state.sequence, due, children=children)
    return Parked(
        state.id, state.sequence, due, fold.snapshot, fold.drop_before, fold.executions, fold.keep_repeated, children
    )
