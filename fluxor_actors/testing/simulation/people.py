"""Who stands outside of a simulated workflow, and does what it waits for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from fluxor_actors.errors import AlreadyDecidedError, InvalidStateError, NotAuthorizedError
from fluxor_actors.process.explanation import Cause, Explanation
from fluxor_actors.process.states import ProcessState
from fluxor_actors.testing.simulation.run import SimulatedRun

__all__ = ["helpful", "waiting_in"]

_PATIENCE = 200


def helpful(run: SimulatedRun) -> None:
    """Approve what is asked, send the signals that are waited for, and resume what pauses; only when there is nothing of the kind let time pass.

    For ``drive`` of `simulate`, where it does not matter what people decide.
    """
    for _ in range(_PATIENCE):
        if run.state.final or not (_help(run) or run.simulation.next()):
            return


def _help(run: SimulatedRun) -> bool:
    """Do something that is waited for. Whether there was anything."""
    for process_id, explanation in waiting_in(run.explain()):
        one = SimulatedRun(run.simulation, process_id)
        # What is waited for may be over at the moment when somebody comes.
        with contextlib.suppress(InvalidStateError):
            if explanation.state is ProcessState.PAUSED:
                one.resume()
                return True
            for waiting in explanation.waiting:
                if waiting.cause is Cause.APPROVAL and _approve(one):
                    return True
                if waiting.cause is Cause.SIGNAL:
                    one.signal(waiting.on, "sent")
                    return True
    return False


def _approve(run: SimulatedRun) -> bool:
    """Approve the oldest request, in the name of one who may and has not yet. Whether somebody has."""
    for request in run.requests():
        for name in request.meta.get("approvers") or ["somebody"]:
            with contextlib.suppress(AlreadyDecidedError, NotAuthorizedError, AssertionError):
                run.approve(request.id, by=str(name))
                return True
    return False


def waiting_in(explanation: Explanation) -> Iterator[tuple[str, Explanation]]:
    """A process and those that it waits for, each with its explanation."""
    yield explanation.process_id, explanation
    for child in explanation.children:
        yield from waiting_in(child)
