"""Where a ``goto`` leads from: what is left, what contains the target, and whether control may move at all."""

from __future__ import annotations

from fluxor_actors.errors import ActionError, TransitionLimitError
from fluxor_actors.process.plan import Flow
from fluxor_actors.process.run import Phase, Run
from fluxor_actors.process.turn import Turn

__all__ = ["may_jump", "way"]

_OPEN = (Phase.BODY, Phase.CATCH)


def way(run: Run, target: int) -> tuple[list[Run], Run | None]:
    """The runs that control leaves, innermost first, and the one inside which it goes on (None: the whole starts over)."""
    leaving: list[Run] = []
    place = run.parent
    while place is not None and (place.task.number == target or not place.task.contains(target)):
        leaving.append(place)
        place = place.parent
    return leaving, place


def may_jump(turn: Turn, run: Run, target: int) -> bool:
    """Whether control can move.

    Not when something around is being stopped, or control is on its way elsewhere: that goes first. Nor to a task that was not
    chosen, when only some tasks are to run.

    Raises:
        TransitionLimitError: the process has jumped too often.
        ActionError: the run, or one that would be left, runs on demand in another place than its own.
    """
    selected = turn.state.selected
    if selected is not None and target not in selected:
        return False
    leaving, place = way(run, target)
    for around in leaving if place is None else [*leaving, place]:
        body = around.below
        if body.phase not in _OPEN or not turn.live(around) or (body.jumps and around.task.flow is Flow.SEQUENCE):
            return False
    task = run.task
    if turn.state.jumps >= turn.rules.max_transitions:
        raise TransitionLimitError(
            f"{task.id} would make jump {turn.state.jumps + 1}, and max_transitions is {turn.rules.max_transitions}"
        )
    if any(each.displaced for each in (run, *leaving)):
        raise ActionError(
            f"{task.id} cannot go to {turn.plan.tasks[target].id}: it runs on demand, for a task that depends on it"
        )
    return True
