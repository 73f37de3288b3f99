"""``goto``: leaving what does not contain the target, and going on from it."""

from __future__ import annotations

from fluxor_actors.errors import FluxorError
from fluxor_actors.process.events import Jumped, JumpRequested, Outcome, RunClosing
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.leaving import way
from fluxor_actors.process.opening import admit, error_variables, open_run
from fluxor_actors.process.plan import Flow, Role
from fluxor_actors.process.run import Departure, Run
from fluxor_actors.process.running import open_item
from fluxor_actors.process.turn import Step, Turn

__all__ = ["enter_target", "jump", "restart"]


def jump(turn: Turn, run: Run, target: int) -> None:
    """Control moves from a run that has just ended to another task."""
    leaving, place = way(run, target)
    stopped = _leave(turn, leaving)
    ending: list[str] = [leaving[-1].id] if leaving else []
    if place is not None and place.task.flow is Flow.SEQUENCE:
        blocking = place.below.blocking
        if blocking is not None and blocking not in ending and blocking in place.below.children:
            # The one at which the sequence was, while another that runs beside it has moved control.
            ending.append(blocking)
            stopped.append(place.below.children[blocking])
    if place is not None and not ending:
        enter_target(turn, place, Departure(target, (), run.index, run.iteration))
        if place.task.flow is Flow.SEQUENCE:
            # It does not wait for the target, if that is asynchronous.
            turn.then(Step.ADVANCE, place)
        elif place.below.queue and place.task.fan_out is None:
            # The run that has jumped has left a place, and whoever comes again stands behind those who wait.
            admit(turn, place)
        return
    turn.emit(JumpRequested((place or leaving[-1]).id, target, tuple(ending)))
    for child in reversed(stopped):
        turn.first(Step.CANCEL, child)
    if leaving:
        turn.then(Step.SETTLE, leaving[0])


def _leave(turn: Turn, leaving: list[Run]) -> list[Run]:
    """Close what is left. Returns what runs there beside the way out, and is to be stopped."""
    stopped: list[Run] = []
    for left in reversed(leaving):
        turn.emit(RunClosing(left.id, Outcome.LEFT))
        stopped += [child for child in left.below.children.values() if child not in leaving]
    return stopped


def enter_target(turn: Turn, run: Run, departure: Departure) -> None:
    """Go on from the target, which is below ``run``."""
    target, failure = departure.target, run.below.failure
    turn.emit(Jumped(run.id, target, departure.leaving))
    if run.task.flow is Flow.FAN_OUT:
        assert departure.index is not None
        try:
            open_item(turn, run, departure.index, departure.iteration + 1)
        except FluxorError as error:
            turn.then(Step.CLOSE, run, Outcome.FAILED, Failure.of(error, task=run.task.id, retryable=False))
        return
    task = turn.plan.child_towards(run.task, target)
    # A ``catch`` that starts over sees what it has seen before.
    variables = error_variables(turn, failure) if failure is not None and task.role is Role.CATCH else None
    open_run(turn, run, task, variables=variables, target=None if task.number == target else target)


def restart(turn: Turn, root: Run) -> None:
    """The whole pipeline starts over."""
    open_run(turn, None, root.task, iteration=root.iteration + 1)
