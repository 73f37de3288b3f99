"""Dependencies: what is missing, and starting it on demand."""

from __future__ import annotations

from fluxor_actors.process.opening import open_run, unmet
from fluxor_actors.process.plan import TaskPlan
from fluxor_actors.process.run import Frame, Phase, Run
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Turn

__all__ = ["open_demanded"]


def open_demanded(turn: Turn, dependent: Run) -> None:
    """Start the tasks for which a run waits, those that are not under way: by now whoever would open them anyway has done so."""
    if dependent.status is not ExecutionState.WAIT_FOR_DEPENDENCIES:
        return
    for number in unmet(turn, dependent)[0]:
        task = turn.plan.tasks[number]
        frame = dependent.frame.of(task)
        if number not in frame.live:
            open_run(turn, _nearest_live(turn, frame, task), task, demanded=True)


def _nearest_live(turn: Turn, frame: Frame, task: TaskPlan) -> Run:
    """The innermost task around ``task`` that is at its body: the demanded run becomes its child."""
    number = task.parent
    while number and number != frame.task:
        live = frame.live.get(number)
        if live is not None:
            run = turn.state.runs[live]
            if _at_body(run):
                return run
        number = turn.plan.tasks[number].parent
    return turn.state.runs[frame.owner]


def _at_body(run: Run) -> bool:
    body = run.body
    if body is None or run.status is not ExecutionState.WAIT_FOR_SUB_TASKS or run.task.fan_out is not None:
        return False
    return body.phase is Phase.BODY and not body.jumps
