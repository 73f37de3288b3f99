"""``goto``: leaving what does not contain the target, and going on from it."""

from __future__ import annotations

from fluxor_actors.errors import TransitionLimitError
from fluxor_actors.process.events import Jumped, JumpRequested, Outcome, RunClosing
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.opening import open_run
from fluxor_actors.process.plan import Flow
from fluxor_actors.process.run import Phase, Run
from fluxor_actors.process.running import open_item
from fluxor_actors.process.turn import Step, Turn

__all__ = ["enter_target", "jump", "restart"]

_OPEN = (Phase.BODY, Phase.CATCH)


def jump(turn: Turn, run: Run, target: int) -> None:
    """Control moves from an ended run to another task."""
    leaving: list[Run] = []
    place = run.parent
    while place is not None and (place.task.number == target or not place.task.contains(target)):
        leaving.append(place)
        place = place.parent
    around = leaving if place is None else [*leaving, place]
    if any(not turn.live(run_) or run_.below.phase not in _OPEN or run_.below.jump is not None for run_ in around):
        # Something around it is being stopped already: that goes first.
        turn.then(Step.CHILD_ENDED, run.parent, run, False)
        return
    if turn.state.jumps >= turn.rules.max_transitions:
        error = TransitionLimitError(
            f"{run.task.id} would make jump {turn.state.jumps + 1}, and max_transitions is {turn.rules.max_transitions}"
        )
        failure = Failure.of(error, task=run.task.id, retryable=False)
        turn.then(Step.CLOSE, run.parent, Outcome.FAILED, failure)
        return
    if place is not None and not leaving:
        enter_target(turn, place, target, run)
        return
    for left in reversed(leaving):
        turn.emit(RunClosing(left.id, Outcome.LEFT))
        for child in tuple(left.below.children.values()):
            if child not in leaving and not child.status.final:
                turn.then(Step.CANCEL, child)
    outermost = leaving[-1]
    turn.emit(JumpRequested((place or outermost).id, target, outermost.id))
    turn.then(Step.SETTLE, leaving[0])


def enter_target(turn: Turn, run: Run, target: int, left: Run) -> None:
    """Go on from the target, which is below ``run``."""
    turn.emit(Jumped(run.id, target))
    if run.task.flow is Flow.FAN_OUT:
        assert left.index is not None
        open_item(turn, run, left.index, left.iteration + 1)
        return
    task = turn.plan.child_towards(run.task, target)
    open_run(turn, run, task, target=None if task.number == target else target)


def restart(turn: Turn, root: Run) -> None:
    """The whole pipeline starts over."""
    open_run(turn, None, root.task, iteration=root.iteration + 1)
