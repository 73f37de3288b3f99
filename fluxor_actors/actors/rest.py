"""When a process may be left to the store: nothing of it is under way."""

from __future__ import annotations

from fluxor_actors.process.state import State
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage.durable import Parked

__all__ = ["parked_of"]

_WORTH = 2.0  # seconds: who is to be woken sooner stays


def parked_of(state: State, now: float) -> Parked | None:
    """How the store is to keep the process; None when it has something under way, or soon will.

    One that waits for a sub-workflow stays: nobody but its supervisor would hear of an end that an engine's death has left untold.
    """
    status = state.status
    if state.active or state.queued or status not in (ProcessState.RUNNING, ProcessState.PAUSED):
        return None
    due: float | None = None
    for run in state.runs.values():
        if run.child is not None:
            return None
        for at in run.timers.values():
            due = at if due is None or at < due else due
    if status is ProcessState.PAUSED:
        # What falls due meanwhile waits for the end of the pause.
        due = None
    elif due is not None and due < now + _WORTH:
        return None
    return Parked(state.id, state.sequence, due)
