"""What an action asks of the engine: to have work done by others, to wait for it, to wait for a value."""

from __future__ import annotations

from typing import Any

from fluxor_actors.definition.model import AwaitMode, Merge
from fluxor_actors.errors import (
    ActionCancelledError,
    ChildFailedError,
    GroupNotFoundError,
    InvalidStateError,
)
from fluxor_actors.names import execution_id
from fluxor_actors.process import commands
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.delegation import Delegation
from fluxor_actors.process.effects import Answer
from fluxor_actors.process.events import (
    AttemptBegun,
    ExecutionResumed,
    GroupEmitted,
    Outcome,
    OutputAwaited,
    WaitBegun,
    WaitEnded,
)
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.joining import close_items
from fluxor_actors.process.plan import Flow, Join
from fluxor_actors.process.run import FanBody, Run
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Step, Turn

__all__ = [
    "await_work",
    "check_group",
    "collect",
    "collect_again",
    "emit_tasks",
    "end_wait",
    "failure_of",
    "go_on",
    "resume_execution",
]

_E = ExecutionState
_UNDER_WAY = (_E.SCHEDULED, _E.RUNNING)
_OPEN = tuple(state for state in ExecutionState if not state.final)


def emit_tasks(turn: Turn, command: commands.EmitTasks) -> None:
    """Start a group of children, or find the one that an attempt that was lost has started.

    Raises:
        InvalidStateError: from outside, the run has ended, or is no action's; nothing has changed.
    """
    if not command.attempt:
        _emit_from_outside(turn, command)
        return
    run = _asking(turn, command.run, command.attempt, command.ticket)
    if run is None:
        return
    base = 0 if run.delegated is None else run.delegated.base
    group_id = _emit(turn, run, f"emit{base + command.ordinal}", command)
    if command.wait:
        turn.stop_timer(run, TimerKind.HEARTBEAT)
        turn.emit(WaitBegun(run.id, command.ticket, group_id))
        _look(turn, run, turn.state.runs[group_id])
    else:
        _answer(turn, run, command.ticket, execution_id(turn.state.id, group_id))


def _emit_from_outside(turn: Turn, command: commands.EmitTasks) -> None:
    run = turn.state.runs.get(command.run)
    if run is None or run.status.final or run.group or run.task.flow is not Flow.ACTION or _collects(run):
        state = "ended" if run is None else str(run.status)
        raise InvalidStateError("emit_executions", state, (_E.SCHEDULED, _E.RUNNING, _E.WAIT_ASYNC))
    if run.signalled:
        raise InvalidStateError("emit_executions", _E.CANCELLED, (_E.SCHEDULED, _E.RUNNING, _E.WAIT_ASYNC))
    _emit(turn, run, command.name, command)


def _collects(run: Run) -> bool:
    return run.delegated is not None and bool(run.delegated.collecting)


def _asking(turn: Turn, run_id: str, attempt: int, ticket: int) -> Run | None:
    """The run whose action asks. None, and an answer that says so, where nobody waits for that attempt any more."""
    run = turn.state.runs.get(run_id)
    current = run is not None and run.attempt == attempt and (run.status in _UNDER_WAY or run.waiting)
    if run is None or not current or run.signalled:
        error = ActionCancelledError(f"attempt {attempt} of {run_id} is over, or was asked to stop")
        turn.do(Answer(run_id, attempt, ticket, failure=Failure.of(error)))
        return None
    if run.status is _E.SCHEDULED:
        turn.emit(AttemptBegun(run.id, run.attempt))
    return run


def _emit(turn: Turn, run: Run, name: str, command: commands.EmitTasks) -> str:
    state = turn.state
    known = None if run.delegated is None else run.delegated.groups.get(name)
    group = None if known is None else state.runs.get(known)
    number = state.fragments.get((run.task.number, command.as_, command.definitions))
    same = group is not None and group.fan.emitter == run.id and group.task.number == number
    if same and group is not None and group.fan.items == command.items and group.fan.kinds == command.kinds:
        return group.id
    group_id = f"{run.id}#{name}"
    if known is not None:
        assert run.delegated is not None
        group_id = f"{group_id}_{run.delegated.count + 1}"
    if number is None:
        number = len(state.plan.tasks)
    turn.emit(
        GroupEmitted(
            run.id,
            name,
            group_id,
            _owner(run).id,
            number,
            command.as_,
            command.items,
            command.definitions,
            command.kinds,
        )
    )
    turn.plan = state.plan
    if group is not None:
        turn.then(Step.CLOSE, group, Outcome.CANCELLED)
    turn.then(Step.ADVANCE, state.runs[group_id])
    return group_id


def _owner(run: Run) -> Run:
    """The nearest task with children around a run: it ends when the group has ended, and stops it when it is stopped."""
    owner = run.parent
    while owner is not None and (owner.body is None or isinstance(owner.body, FanBody)):
        owner = owner.parent
    assert owner is not None
    return owner


def await_work(turn: Turn, command: commands.AwaitWork) -> None:
    """Wait for a group, or for a value."""
    run = _asking(turn, command.run, command.attempt, command.ticket)
    if run is None:
        return
    if command.group is None:
        turn.stop_timer(run, TimerKind.HEARTBEAT)
        turn.emit(WaitBegun(run.id, command.ticket, None, command.value))
        go_on(turn, run)
        return
    group = turn.state.runs.get(command.group)
    if group is None or not group.group or group.fan.emitter != run.id:
        error = GroupNotFoundError(execution_id(turn.state.id, command.group), hint=f"{run.id} has not emitted it")
        turn.do(Answer(run.id, run.attempt, command.ticket, failure=Failure.of(error)))
        return
    turn.stop_timer(run, TimerKind.HEARTBEAT)
    turn.emit(WaitBegun(run.id, command.ticket, group.id))
    _look(turn, run, group)


def end_wait(turn: Turn, command: commands.EndWait) -> None:
    """The action has waited long enough."""
    run = turn.state.runs.get(command.run)
    if run is None or run.attempt != command.attempt or run.delegated is None:
        return
    waited = run.delegated.waits.get(command.ticket)
    if waited is None:
        return
    group = turn.state.runs.get(waited) if isinstance(waited, str) else None
    _end(turn, run, command.ticket, drop=command.drop)
    if command.drop and group is not None:
        turn.then(Step.CLOSE, group, Outcome.CANCELLED)


def _end(turn: Turn, run: Run, ticket: int, *, drop: bool = False) -> None:
    assert run.delegated is not None
    beat = None
    if run.task.heartbeat is not None and not run.signalled and len(run.delegated.waits) == 1:
        beat = turn.now + run.task.heartbeat
    turn.emit(WaitEnded(run.id, ticket, beat, drop))
    if beat is not None:
        turn.start_timer(run, TimerKind.HEARTBEAT, beat)


def _answer(turn: Turn, run: Run, ticket: int, value: Any = None, failure: Failure | None = None) -> None:
    turn.do(Answer(run.id, run.attempt, ticket, value, failure))


def resume_execution(turn: Turn, command: commands.ResumeExecution) -> None:
    """Bring a value to an action that waits for one, or will.

    Raises:
        InvalidStateError: the run has ended, or is no action's; nothing has changed.
    """
    run = turn.state.runs.get(command.run)
    if run is None or run.status.final or run.group or run.task.flow is not Flow.ACTION:
        raise InvalidStateError("resume_execution", "ended" if run is None else str(run.status), _OPEN)
    turn.emit(ExecutionResumed(run.id, command.value))
    go_on(turn, run)


def go_on(turn: Turn, run: Run) -> None:
    """Answer what can be answered by now. While the process pauses nobody goes on."""
    if run.delegated is None or turn.state.pausing:
        return
    for ticket, waited in tuple(run.delegated.waits.items()):
        if isinstance(waited, str):
            _answer_group(turn, run, ticket, turn.state.runs.get(waited))
        elif waited < len(run.delegated.values):
            _end(turn, run, ticket)
            _answer(turn, run, ticket, run.delegated.values[waited])


def _look(turn: Turn, run: Run, group: Run) -> None:
    """Answer those that wait for a group, if it has ended."""
    if run.delegated is None or turn.state.pausing or not group.status.final:
        return
    for ticket, waited in tuple(run.delegated.waits.items()):
        if waited == group.id:
            _answer_group(turn, run, ticket, group)


def _answer_group(turn: Turn, run: Run, ticket: int, group: Run | None) -> None:
    if group is None:
        error = GroupNotFoundError(run.id, hint="it is kept no longer")
        _end(turn, run, ticket)
        _answer(turn, run, ticket, failure=Failure.of(error))
    elif group.status.final:
        failure = failure_of(group)
        _end(turn, run, ticket)
        _answer(turn, run, ticket, None if failure else group.fan.outputs, failure)


def failure_of(group: Run) -> Failure | None:
    """Why a group that has ended has no outputs; None when it has."""
    fan, cause = group.fan, group.failure
    if group.status is _E.COMPLETED:
        return None
    if group.status is _E.CANCELLED or cause is None:
        return Failure.of(ActionCancelledError(f"what {group.task.id} emitted was cancelled"))
    more = "" if len(fan.items) == 1 else f" ({fan.failed} of {len(fan.items)})"
    return Failure.of(ChildFailedError(f"{cause.task or group.task.id} failed{more}: {cause.type}: {cause.message}"))


# A task's own `await` ----------------------------------------------------------------------------------------------------


def collect(turn: Turn, run: Run) -> bool:
    """The action has returned: wait for what it emitted and did not wait for itself. Returns whether there is any."""
    delegated, join = run.delegated, run.task.join
    if delegated is None or join is None:
        return False
    groups = tuple(
        group.id
        for group in (turn.state.runs.get(group_id) for group_id in delegated.groups.values())
        if group is not None and group.fan.emitter == run.id and group.fan.joined is None
    )
    if not groups:
        return False
    if run.status is _E.SCHEDULED:
        turn.emit(AttemptBegun(run.id, run.attempt))
    due = None if join.timeout is None else turn.now + join.timeout
    turn.stop_timers(run)
    turn.emit(OutputAwaited(run.id, groups, due))
    if due is not None:
        turn.start_timer(run, TimerKind.TIMEOUT, due)
    _check_all(turn, run)
    return True


def collect_again(turn: Turn, run: Run) -> None:
    """The process was restarted: what did not complete of the groups runs again."""
    _check_all(turn, run)


def _check_all(turn: Turn, run: Run) -> None:
    assert run.delegated is not None
    for group_id in run.delegated.collecting:
        _check_collected(turn, run, run.delegated, turn.state.runs[group_id])
    if not run.delegated.missing:
        _all_ended(turn, run, run.delegated)


def check_group(turn: Turn, run: Run, group: Run) -> None:
    """Something has happened in a group that an action has emitted, and for which it, or its task, waits."""
    delegated = run.delegated
    if delegated is None or run.status is not _E.WAIT_ASYNC:
        return
    if not delegated.collecting:
        _look(turn, run, group)
        return
    _check_collected(turn, run, delegated, group)
    if not delegated.missing:
        _all_ended(turn, run, delegated)


def _check_collected(turn: Turn, run: Run, delegated: Delegation, group: Run) -> None:
    join, fan = run.task.join, group.fan
    assert join is not None
    if join.mode is AwaitMode.FIRST and fan.first is not None:
        output = fan.outputs[fan.first]
        turn.then(Step.COMPLETE, run, output if join.merge is Merge.REPLACE else [output])
        for group_id in delegated.collecting:
            close_items(turn, turn.state.runs[group_id])
    elif join.mode is AwaitMode.ANY_ERROR and fan.failed:
        turn.then(Step.FAIL, run, fan.failure)


def _all_ended(turn: Turn, run: Run, delegated: Delegation) -> None:
    join = run.task.join
    assert join is not None
    groups = [turn.state.runs[group_id] for group_id in delegated.collecting]
    bad = next((group for group in groups if group.status is not _E.COMPLETED), None)
    if bad is not None:
        turn.then(Step.FAIL, run, bad.failure or failure_of(bad))
    else:
        turn.then(Step.COMPLETE, run, _output(join, groups))


def _output(join: Join, groups: list[Run]) -> Any:
    if join.merge is Merge.REPLACE:
        # The last to arrive of the group that was emitted last.
        fan = groups[-1].fan
        return None if fan.last is None else fan.outputs[fan.last]
    return [output for group in groups for output in group.fan.outputs]
