"""What the end of a run does to a state: its output and writes, and what is forgotten."""

from __future__ import annotations

from typing import Any

from fluxor_actors.process import events as happened
from fluxor_actors.process.delegation import NOBODY
from fluxor_actors.process.events import Outcome
from fluxor_actors.process.plan import Flow, Role
from fluxor_actors.process.run import Run
from fluxor_actors.process.scope import Scope, set_path
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState

__all__ = ["abandon_group", "drop_below", "forget_group", "stop_awaiting"]

_E = ExecutionState


def skipped(state: State, event: happened.RunSkipped) -> None:
    run = state.runs[event.run]
    state.move(run, _E.SKIPPED)
    task = run.task
    if task.number and task.role is not Role.BODY:
        scope = run.scope.output_scope()
        if scope.skipped is None:
            scope.skipped = set()
        scope.skipped.add(task.namespace)
    _store(state, run, None, keep=False)
    _leave(state, run)


def completed(state: State, event: happened.RunCompleted) -> None:
    run = state.runs[event.run]
    state.move(run, _E.COMPLETED)
    if run.task.role is not Role.BODY or run.group or not _left(run, event):
        _store(state, run, event.output, keep=True)
    for write in event.writes:
        _write(state, run.scope, write)
    _leave(state, run)


def failed(state: State, event: happened.RunFailed) -> None:
    run = state.runs[event.run]
    state.move(run, _E.FAILED)
    run.failure = event.failure
    if event.has_output:
        run.output = event.output
        run.has_output = True
    parent = run.parent
    if run.task.role is Role.BODY and parent is not None and not run.group:
        parent.fan.failed += 1
        if parent.fan.failure is None:
            parent.fan.failure = event.failure
    _leave(state, run)


def cancelled(state: State, event: happened.RunCancelled) -> None:
    run = state.runs[event.run]
    state.move(run, _E.CANCELLED)
    _leave(state, run)


def _left(run: Run, event: happened.RunCompleted) -> bool:
    """Whether the run is over because control moves elsewhere: then it is no item's result."""
    return event.goto is not None or (run.body is not None and run.body.outcome is Outcome.LEFT)


def _store(state: State, run: Run, output: Any, *, keep: bool) -> None:
    task = run.task
    parent = run.parent
    if parent is None or run.group:
        return
    if task.role is Role.BODY:
        fan = parent.fan
        assert run.index is not None
        fan.outputs[run.index] = output
        fan.succeeded += 1
        if keep:
            fan.last = run.index
            if fan.first is None:
                fan.first = run.index
        return
    if keep:
        state.write(parent.scope.output_scope(), task.namespace, output)
    if task.role is Role.ORDINARY and task.parent == parent.task.number:
        parent.below.results[task.namespace] = output


def _write(state: State, scope: Scope, write: happened.Write) -> None:
    name = write.path[0]
    target = scope.holder(name)
    old = dict.get(target, name)
    if not write.append:
        state.write(target, name, set_path(old, write.path[1:], write.value))
        return
    place = old
    for step in write.path[1:]:
        place = place.get(step) if isinstance(place, dict) else None
    more = write.value if isinstance(write.value, list) else [] if write.value is None else [write.value]
    state.write(target, name, set_path(old, write.path[1:], [*(place or ()), *more]))


def _leave(state: State, run: Run) -> None:
    """Take an ended run out of what is in flight. One that may be taken up again stays, for `ProcessRestarted`."""
    task = run.task
    good = run.status is _E.COMPLETED or run.status is _E.SKIPPED
    if run.timers:
        run.timers.clear()
    if state.held:
        state.held.pop(run.id, None)
    if run.signal is not None or run.approval is not None:
        _wait_no_more(state, run)
    if not run.group:
        if not task.composite:
            state.tally.count(run.status, 1)
        if task.tracked:
            _tell_dependents(state, run)
        if task.flow is Flow.JOIN and run.child is not None:
            _part(state, run)
        if run.delegated is not None:
            _part_from_groups(state, run, good=good)
    elif run.fan.emitter is not None:
        _tell_emitter(state, run)
    if run.parent is not None:
        _leave_parent(run, run.parent, good=good)
    if not _matters(state, run, good=good):
        del state.runs[run.id]
        if run.parent is None:
            state.root = None
        if run.body is not None:
            drop_below(state, run)
            run.body = None
    else:
        if good:
            drop_below(state, run)
        if run.parent is not None:
            run.parent.below.kept[run.id] = run


def _wait_no_more(state: State, run: Run) -> None:
    stop_awaiting(state, run)
    if run.approval is not None:
        state.approvals.pop(run.approval.id, None)


def _leave_parent(run: Run, parent: Run, *, good: bool) -> None:
    body = parent.below
    body.open -= 1
    if run.admitted:
        body.places -= 1
    del body.children[run.id]
    if good and body.blocking == run.id:
        body.blocking = None


def _tell_dependents(state: State, run: Run) -> None:
    number, frame = run.task.number, run.frame
    if frame.live.get(number) == run.id:
        del frame.live[number]
    if not run.task.watched:
        return
    frame.done[number] = run.status
    for waiting in frame.waiters.pop(number, ()):
        waiter = state.runs.get(waiting)
        if waiter is not None and waiter.status is _E.WAIT_FOR_DEPENDENCIES:
            waiter.missing -= 1


def _matters(state: State, run: Run, *, good: bool) -> bool:
    """Whether an ended run may still be taken up again, or its results be asked for."""
    if not run.group:
        return not good
    if run.fan.emitter is not None:
        # Its emitter may be run again, and ask for it.
        return run.fan.emitter in state.runs
    if run.fan.joined is not None:
        return run.fan.joined in state.runs
    if not good:
        return True
    fan_out = run.task.fan_out
    assert fan_out is not None
    return fan_out.awaited and run.frame.of(run.task).groups.get(run.task.number) == run.id


def _part(state: State, run: Run) -> None:
    """A run that has waited for a group is over. What of the group is still being stopped stays until it has."""
    assert run.child is not None
    group = state.runs.get(run.child)
    if group is None:
        return
    if run.status is _E.CANCELLED:
        group.fan.joined = None
    elif run.status is _E.COMPLETED and group.status.final:
        forget_group(state, group.id)


def _part_from_groups(state: State, run: Run, *, good: bool) -> None:
    """An action's task has ended. What it has emitted goes on by itself, or stays as long as the task may be taken up again."""
    delegated = run.delegated
    assert delegated is not None
    delegated.waits.clear()
    if not good:
        return
    for group_id in delegated.groups.values():
        group = state.runs.get(group_id)
        if group is None or group.fan.emitter != run.id:
            continue
        if group.status.final and (group.status is not _E.FAILED or group.fan.joined is not None):
            forget_group(state, group_id)
        else:
            group.fan.emitter = group.fan.joined = None


def _tell_emitter(state: State, group: Run) -> None:
    emitter = state.runs.get(group.fan.emitter or "")
    if emitter is not None and emitter.delegated is not None and group.id in emitter.delegated.collecting:
        emitter.delegated.missing -= 1


def abandon_group(state: State, group_id: str) -> None:
    """Nobody will ask for the group any more: it is forgotten as soon as it has ended."""
    group = state.runs.get(group_id)
    if group is None:
        return
    if group.status.final:
        forget_group(state, group_id)
    else:
        group.fan.emitter = NOBODY
        group.fan.joined = None


def forget_group(state: State, group_id: str) -> None:
    """Forget a group that has ended."""
    group = state.runs.pop(group_id)
    assert group.parent is not None
    group.parent.below.kept.pop(group_id, None)
    drop_below(state, group)


def drop_below(state: State, run: Run) -> None:
    """Forget what failed or was cancelled below a run that made it good, or left it."""
    if run.body is None or not run.body.kept:
        return
    below = list(run.body.kept.values())
    run.body.kept.clear()
    while below:
        gone = below.pop()
        state.runs.pop(gone.id, None)
        if gone.body is not None:
            below.extend(gone.body.kept.values())
        if gone.delegated is not None:
            for group_id in gone.delegated.groups.values():
                abandon_group(state, group_id)
        if gone.task.flow is Flow.JOIN and gone.child is not None:
            group = state.runs.get(gone.child)
            if group is not None and group.status.final:
                forget_group(state, group.id)


def stop_awaiting(state: State, run: Run) -> None:
    """The run waits for its signal no longer."""
    if run.signal is None:
        return
    waiters = state.signal_waiters.get(run.signal)
    if waiters is not None and run.id in waiters:
        waiters.remove(run.id)
        if not waiters:
            del state.signal_waiters[run.signal]
    run.signal = None
