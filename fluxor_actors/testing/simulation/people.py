"""Who stands outside of a simulated workflow, and does what it waits for."""

from __future__ import annotations

from collections.abc import Iterator

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
    simulation = run.simulation
    for process_id, explanation in waiting_in(run.explain()):
        one = SimulatedRun(simulation, process_id)
        if explanation.state is ProcessState.PAUSED:
            one.resume()
            return True
        for waiting in explanation.waiting:
            if waiting.cause is Cause.APPROVAL and one.requests():
                request = one.requests()[0]
                approvers = request.meta.get("approvers") or ["somebody"]
                one.approve(request.id, by=str(approvers[_votes(run) % len(approvers)]))
                return True
            if waiting.cause is Cause.SIGNAL:
                one.signal(waiting.on, "sent")
                return True
    return False


def _votes(run: SimulatedRun) -> int:
    return sum("decide" in line for line in run.simulation.trace.lines)


def waiting_in(explanation: Explanation) -> Iterator[tuple[str, Explanation]]:
    """A process and those that it waits for, each with its explanation."""
    yield explanation.process_id, explanation
    for child in explanation.children:
        yield from waiting_in(child)
