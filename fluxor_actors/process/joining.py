"""Waiting for signals and for groups; and starting a group without waiting."""

from __future__ import annotations

from typing import Any

from fluxor_actors.definition.model import AwaitMode, Merge
from fluxor_actors.errors import FluxorError, GroupNotFoundError
from fluxor_actors.names import execution_id
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.ending import complete
from fluxor_actors.process.events import GroupJoined, GroupOpened, ItemsClosed, Outcome, SignalAwaited, SignalTaken
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.items import evaluate_items
from fluxor_actors.process.plan import Join
from fluxor_actors.process.run import FanBody, Run
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Step, Turn

__all__ = ["await_group", "await_signal", "check_join", "close_items", "emit_detached", "joined_output", "take_signal"]


def await_signal(turn: Turn, run: Run) -> None:
    """Take the oldest signal of that name, or wait for one."""
    join = _join(run)
    assert join.signal is not None
    due = None if join.timeout is None else turn.now + join.timeout
    turn.emit(SignalAwaited(run.id, join.signal, due))
    if join.signal in turn.state.signals:
        take_signal(turn, run, join.signal)
    elif due is not None:
        turn.start_timer(run, TimerKind.TIMEOUT, due)


def take_signal(turn: Turn, run: Run, name: str) -> None:
    """Give the oldest signal of that name to a run that waits for it."""
    turn.stop_timers(run)
    turn.emit(SignalTaken(run.id, name))
    complete(turn, run, run.output)


def _join(run: Run) -> Join:
    assert run.task.join is not None
    return run.task.join


def _owner(turn: Turn, run: Run) -> str:
    """What ends when the group has ended: the item in which the run stands, or, where that has gone on without it, the one around."""
    assert run.parent is not None
    frame = run.parent.frame
    while frame.parent is not None:
        owner = turn.state.runs.get(frame.owner)
        if owner is not None and owner.body is not None and turn.live(owner):
            break
        frame = frame.parent
    return frame.owner


def emit_detached(turn: Turn, run: Run) -> None:
    """Start a group and go on without it."""
    try:
        items = evaluate_items(turn, run)
    except FluxorError as error:
        turn.then(Step.FAIL, run, Failure.of(error, task=run.task.id, retryable=False))
        return
    group = f"{run.id}#group"
    turn.emit(GroupOpened(run.id, group, _owner(turn, run), items))
    turn.then(Step.ADVANCE, turn.state.runs[group])
    # At once: were the run stopped between the two, a restart would emit the same group again.
    complete(turn, run, {"group": execution_id(turn.state.id, run.id), "count": len(items)})


def await_group(turn: Turn, run: Run) -> None:
    """Wait for the group that another task has emitted."""
    join = _join(run)
    assert join.on is not None
    emitter = turn.plan.tasks[join.on]
    group_id = run.frame.of(emitter).groups.get(join.on)
    group = None if group_id is None else turn.state.runs.get(group_id)
    if group is None or group.fan.joined is not None:
        why = "it has emitted nothing yet" if group is None else "another task has awaited it"
        turn.then(
            Step.FAIL, run, Failure.of(GroupNotFoundError(emitter.id, hint=why), task=run.task.id, retryable=False)
        )
        return
    due = None if join.timeout is None else turn.now + join.timeout
    turn.emit(GroupJoined(run.id, group.id, due))
    if due is not None:
        turn.start_timer(run, TimerKind.TIMEOUT, due)
    check_join(turn, run, group)


def check_join(turn: Turn, run: Run, group: Run) -> None:
    """See whether a joined group has what the awaiting run waits for."""
    if run.status is not ExecutionState.WAIT_ASYNC:
        return
    join, fan = _join(run), group.fan
    if join.mode is AwaitMode.FIRST and fan.first is not None:
        turn.then(Step.COMPLETE, run, joined_output(join, fan))
        close_items(turn, group)
    elif group.status is ExecutionState.FAILED:
        turn.then(Step.FAIL, run, group.failure)
    elif group.status is ExecutionState.CANCELLED:
        text = f"the group of {group.task.id} was cancelled"
        turn.then(Step.FAIL, run, Failure("ActionCancelledError", text, ("ActionCancelledError",), run.task.id))
    elif group.status.final:
        turn.then(Step.COMPLETE, run, joined_output(join, fan))
    elif fan.failed and join.mode is AwaitMode.ANY_ERROR:
        turn.then(Step.FAIL, run, fan.failure)
        turn.then(Step.CLOSE, group, Outcome.CANCELLED)


def close_items(turn: Turn, run: Run) -> None:
    """Cancel the items that are not needed any more."""
    if run.status.final or run.below.outcome is Outcome.COMPLETED:
        return
    turn.emit(ItemsClosed(run.id))
    for child in reversed(run.below.children.values()):
        turn.first(Step.CANCEL, child)
    turn.then(Step.SETTLE, run)


def joined_output(join: Join, fan: FanBody) -> Any:
    """The outputs as ``mode`` and ``merge`` want them."""
    if join.merge is Merge.REPLACE:
        last = fan.first if join.mode is AwaitMode.FIRST else fan.last
        return None if last is None else fan.outputs[last]
    if join.mode is AwaitMode.FIRST:
        return [] if fan.first is None else [fan.outputs[fan.first]]
    return fan.outputs
