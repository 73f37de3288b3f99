"""Tasks with children: what runs next, and when all have run."""

from __future__ import annotations

from fluxor_actors.definition.model import AwaitMode
from fluxor_actors.errors import DependencyFailedError, FluxorError
from fluxor_actors.process.effects import Continue
from fluxor_actors.process.events import FanOutBegun, Outcome, RunAdmitted, RunAdopted, RunOpened
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.items import evaluate_items, evaluate_selectors
from fluxor_actors.process.joining import close_items
from fluxor_actors.process.opening import open_run
from fluxor_actors.process.plan import Flow, TaskPlan
from fluxor_actors.process.run import FanBody, Phase, Run
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Step, Turn

__all__ = ["advance", "dependency_failure", "item_ended", "open_item"]


def advance(turn: Turn, run: Run) -> None:
    """Open what can be opened next, or settle the run if nothing is left."""
    if run.status is not ExecutionState.WAIT_FOR_SUB_TASKS:
        return
    body = run.below
    flow = run.task.flow
    if body.phase is not Phase.BODY or (body.jumps and flow is Flow.SEQUENCE):
        if body.open == 0:
            turn.then(Step.SETTLE, run)
        return
    if flow is Flow.SEQUENCE:
        _advance_sequence(turn, run)
    elif flow is Flow.FAN_OUT:
        _advance_fan_out(turn, run)
    else:
        _advance_parallel(turn, run)


def _next(turn: Turn, run: Run) -> TaskPlan | None:
    """The next child of the run's task that is wanted."""
    children, selected, cursor = run.task.children, turn.state.selected, run.below.cursor
    if selected is None:
        return turn.plan.tasks[children[cursor]] if cursor < len(children) else None
    for position in range(cursor, len(children)):
        number = children[position]
        if number in selected:
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
        if not task.watched or run.target is not None or not _prefetched(run, task):
            _open_child(turn, run, task)
        elif not _adopt(turn, run, task):
            return


def _prefetched(run: Run, task: TaskPlan) -> bool:
    return task.number in run.frame.of(task).prefetched


def _adopt(turn: Turn, run: Run, task: TaskPlan) -> bool:
    """Come to a task that was started on demand. Returns False, and has the run closed, if it has failed."""
    frame = run.frame.of(task)
    live = frame.live.get(task.number)
    done = frame.done.get(task.number)
    if live is None and done not in (ExecutionState.COMPLETED, ExecutionState.SKIPPED):
        turn.then(Step.CLOSE, run, Outcome.FAILED, dependency_failure(task))
        return False
    turn.emit(RunAdopted(run.id, task.number, live))
    return True


def dependency_failure(task: TaskPlan) -> Failure:
    """The failure of a task that has come to one that ran on demand, in vain."""
    error = DependencyFailedError(f"{task.id} was started for a task that depends on it, and did not complete")
    return Failure.of(error, task=task.id, retryable=False)


def _open_child(turn: Turn, run: Run, task: TaskPlan) -> None:
    target = run.target
    inside = target is not None and target != task.number and task.contains(target)
    open_run(turn, run, task, target=target if inside else None)


def _advance_parallel(turn: Turn, run: Run) -> None:
    while (task := _next(turn, run)) is not None:
        if not task.watched or not _prefetched(run, task):
            _open_child(turn, run, task)
        elif not _adopt(turn, run, task):
            return
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
        while fan.queue and fan.open - len(fan.queue) < limit:
            _admit_item(turn, fan)
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


def _admit_item(turn: Turn, fan: FanBody) -> None:
    """Go on with an item that was taken up again by a restart, and has waited for a place."""
    item = turn.state.runs[fan.queue[0]]
    turn.emit(RunAdmitted(item.id))
    turn.then(Step.REVIVE, item)


def open_item(turn: Turn, run: Run, index: int, iteration: int = 1) -> None:
    """Open the run of one item."""
    fan_out = run.task.fan_out
    assert fan_out is not None
    kinds = run.fan.kinds
    body = turn.plan.tasks[fan_out.body if kinds is None else fan_out.bodies[kinds[index]]]
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
        if _decided(joined, fan):
            # Whoever awaits the group closes it: what has not begun is not begun any more.
            return
    elif item.status is ExecutionState.FAILED and fan_out.fail_fast:
        turn.then(Step.CLOSE, run, Outcome.FAILED, item.failure)
        return
    elif fan_out.join.mode is AwaitMode.FIRST and fan.first is not None:
        close_items(turn, run)
        return
    if fan.cursor < len(fan.items) or fan.queue:
        _advance_fan_out(turn, run)
    elif fan.open == 0:
        turn.then(Step.SETTLE, run)


def _decided(joined: Run, fan: FanBody) -> bool:
    """Whether the run that awaits a group has what it waits for, or cannot get it any more."""
    join = joined.task.join
    if join is None or joined.delegated is not None or joined.status is not ExecutionState.WAIT_ASYNC:
        return False
    return (join.mode is AwaitMode.FIRST and fan.first is not None) or (
        join.mode is AwaitMode.ANY_ERROR and fan.failed > 0
    )
