"""Tasks with children: what runs next, and when all have run."""

from __future__ import annotations

from fluxor_actors.definition.model import AwaitMode
from fluxor_actors.errors import FluxorError
from fluxor_actors.process.effects import Continue
from fluxor_actors.process.events import FanOutBegun, Outcome, RunAdopted, RunOpened
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.items import evaluate_items, evaluate_selectors
from fluxor_actors.process.joining import close_items
from fluxor_actors.process.opening import open_run
from fluxor_actors.process.plan import Flow, TaskPlan
from fluxor_actors.process.run import FanBody, Phase, Run
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Step, Turn

__all__ = ["advance", "item_ended", "open_item"]


def advance(turn: Turn, run: Run) -> None:
    """Open what can be opened next, or settle the run if nothing is left."""
    if run.status is not ExecutionState.WAIT_FOR_SUB_TASKS or not turn.live(run):
        return
    body = run.below
    if body.phase is not Phase.BODY or body.jump is not None:
        if body.open == 0:
            turn.then(Step.SETTLE, run)
        return
    flow = run.task.flow
    if flow is Flow.SEQUENCE:
        _advance_sequence(turn, run)
    elif flow is Flow.FAN_OUT:
        _advance_fan_out(turn, run)
    else:
        _advance_parallel(turn, run)


def _next(turn: Turn, run: Run) -> TaskPlan | None:
    """The next child of the run's task that is wanted."""
    children, selected = run.task.children, turn.state.selected
    for position in range(run.below.cursor, len(children)):
        number = children[position]
        if selected is None or number in selected or run.demanded:
            return turn.plan.tasks[number]
    return None


def _advance_sequence(turn: Turn, run: Run) -> None:
    body = run.below
    while body.blocking is None:
        task = _next(turn, run)
        if task is None:
            if body.open == 0:
                turn.then(Step.SETTLE, run)
            return
        if task.watched and task.number in run.frame.of(task).prefetched:
            _adopt(turn, run, task)
            continue
        _open_child(turn, run, task)


def _adopt(turn: Turn, run: Run, task: TaskPlan) -> None:
    frame = run.frame.of(task)
    live = frame.live.get(task.number)
    done = frame.done.get(task.number)
    turn.emit(RunAdopted(run.id, task.number, live))
    if live is None and done is ExecutionState.FAILED:
        failure = Failure(
            "DependencyFailedError", f"{task.id} has failed", ("DependencyFailedError",), task.id, 0, False
        )
        turn.then(Step.CLOSE, run, Outcome.FAILED, failure)


def _open_child(turn: Turn, run: Run, task: TaskPlan) -> None:
    target = run.target
    if target == task.number:
        target = None
    elif target is not None and not task.contains(target):
        target = None
    open_run(turn, run, task, target=target)


def _advance_parallel(turn: Turn, run: Run) -> None:
    while (task := _next(turn, run)) is not None:
        if task.watched and task.number in run.frame.of(task).prefetched:
            _adopt(turn, run, task)
        else:
            _open_child(turn, run, task)
    if run.below.open == 0:
        turn.then(Step.SETTLE, run)


def _advance_fan_out(turn: Turn, run: Run) -> None:
    fan_out = run.task.fan_out
    assert fan_out is not None
    try:
        if not isinstance(run.body, FanBody):
            turn.emit(FanOutBegun(run.id, evaluate_items(turn, run)))
        fan = run.fan
        limit = len(fan.items) if fan_out.limit is None else fan_out.limit
        last = fan.cursor + turn.rules.chunk
        while fan.cursor < len(fan.items) and fan.open < limit:
            if fan.cursor == last:
                turn.do(Continue(run.id))
                return
            open_item(turn, run, fan.cursor)
    except FluxorError as error:
        failure = Failure.of(error, task=run.task.id, retryable=False)
        if run.below.open:
            turn.then(Step.CLOSE, run, Outcome.FAILED, failure)
        else:
            turn.then(Step.FAIL, run, failure)
        return
    if fan.open == 0:
        turn.then(Step.SETTLE, run)


def open_item(turn: Turn, run: Run, index: int, iteration: int = 1) -> None:
    """Open the run of one item."""
    fan_out = run.task.fan_out
    assert fan_out is not None
    body = turn.plan.tasks[fan_out.body]
    variables = evaluate_selectors(turn, fan_out, run, index)
    prefix = run.id.removesuffix("#group")
    run_id = f"{prefix}[{index}]" if fan_out.fixed is not None else f"{prefix}/{body.name}[{index}]"
    if iteration > 1:
        run_id = f"{run_id}#{iteration}"
    turn.emit(RunOpened(run_id, body.number, run.id, iteration, index, variables))
    turn.agenda.append((Step.BEGIN, turn.state.runs[run_id]))


def item_ended(turn: Turn, run: Run, item: Run) -> None:
    """An item has ended while its fan-out is at its body."""
    fan_out, fan = run.task.fan_out, run.fan
    assert fan_out is not None
    joined = None if fan.joined is None else turn.state.runs.get(fan.joined)
    if joined is not None:
        turn.then(Step.CHECK_JOIN, joined, run)
    elif item.status is ExecutionState.FAILED and fan_out.fail_fast:
        turn.then(Step.CLOSE, run, Outcome.FAILED, item.failure)
        return
    elif fan_out.join.mode is AwaitMode.FIRST and fan.first is not None:
        close_items(turn, run)
        return
    if fan.cursor < len(fan.items):
        _advance_fan_out(turn, run)
    elif fan.open == 0:
        turn.then(Step.SETTLE, run)
