"""Dependencies: what is missing, and starting it on demand."""

from __future__ import annotations

from fluxor_actors.process.plan import Flow, TaskPlan
from fluxor_actors.process.run import Frame, Phase, Run
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Step, Turn

__all__ = ["demand", "unmet"]

_GOOD = (ExecutionState.COMPLETED, ExecutionState.SKIPPED)


def unmet(turn: Turn, run: Run) -> tuple[tuple[int, ...], int | None]:
    """The dependencies that have not ended, and one that has failed."""
    missing: list[int] = []
    for number in run.task.depends_on:
        frame = run.frame.of(turn.plan.tasks[number])
        done = frame.done.get(number)
        if number in frame.live or done is None:
            missing.append(number)
        elif done not in _GOOD:
            return (), number
    return tuple(missing), None


def demand(turn: Turn, run: Run, task: TaskPlan) -> None:
    """Start a task that another depends on, unless it is under way or is sure to come."""
    frame = run.frame.of(task)
    if task.number in frame.live:
        return
    parent = _nearest_live(turn, frame, task)
    if (
        parent.task.number == task.parent
        and parent.task.flow in (Flow.PARALLEL, Flow.GRAPH)
        and _will_open(turn, parent, task)
    ):
        return
    turn.then(Step.OPEN, parent, task, run)


def _nearest_live(turn: Turn, frame: Frame, task: TaskPlan) -> Run:
    """The innermost task around ``task`` that is at its body: the demanded run becomes its child."""
    number = task.parent
    while number and number != frame.task:
        live = frame.live.get(number)
        if live is not None:
            run = turn.state.runs[live]
            if run.body is not None and run.body.phase is Phase.BODY and run.task.fan_out is None:
                return run
        number = turn.plan.tasks[number].parent
    return turn.state.runs[frame.owner]


def _will_open(turn: Turn, parent: Run, task: TaskPlan) -> bool:
    selected = turn.state.selected
    return task.position >= parent.below.cursor and (selected is None or task.number in selected)
