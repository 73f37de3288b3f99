"""What events of single runs do to the state of their process."""

from __future__ import annotations

from collections import deque
from typing import Any

from fluxor_actors.process import events as happened
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.events import Outcome
from fluxor_actors.process.plan import Flow, Role
from fluxor_actors.process.run import Body, FanBody, Frame, Phase, Run, Stage
from fluxor_actors.process.scope import Scope, set_path
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState

__all__: list[str] = []

_E = ExecutionState


def opened(state: State, event: happened.RunOpened) -> None:
    task = state.plan.tasks[event.task]
    parent = None if event.parent is None else state.runs[event.parent]
    if parent is None:
        run = Run(event.run, task, None, state.session, Frame(event.run, 0, None))
        state.root = run
        state.jumps += event.iteration > 1
    else:
        run = Run(event.run, task, parent, parent.scope, parent.frame)
        if event.index is not None:
            _make_item(run, event, parent)
        elif event.variables is not None:
            run.scope = Scope(event.variables, parent.scope)
        _join_parent(run, event, parent)
    run.iteration = event.iteration
    run.index = event.index
    run.demanded = event.demanded
    run.target = event.target
    state.runs[run.id] = run
    if not task.composite:
        state.tally.total += 1
    if task.tracked:
        run.frame.live[task.number] = run.id
        if task.watched and event.demanded:
            run.frame.prefetched.add(task.number)


def _make_item(run: Run, event: happened.RunOpened, parent: Run) -> None:
    fan_out = parent.task.fan_out
    assert fan_out is not None
    assert event.index is not None
    item = parent.fan.items[event.index]
    names = dict(item) if fan_out.fixed is not None else {fan_out.name: item}
    names.update(event.variables or {})
    run.scope = Scope(names, parent.scope, outputs=True)
    if run.task.frame_needed:
        run.frame = Frame(run.id, run.task.number, parent.frame)


def _join_parent(run: Run, event: happened.RunOpened, parent: Run) -> None:
    body = parent.below
    body.children[run.id] = run
    body.open += 1
    task = run.task
    # The first child of a run that a jump passes through is the one on its way.
    parent.target = None
    if task.repeatable:
        body.counts[task.number] = event.iteration
    if event.demanded:
        return
    if event.index is not None:
        body.cursor = max(body.cursor, event.index + 1)
    elif task.role is Role.CATCH:
        body.phase = Phase.CATCH
        body.outcome = None
        body.caught = True
    elif task.role is Role.FINALLY:
        body.phase = Phase.FINALLY
        body.finalized = True
    elif task.parent == parent.task.number:
        body.cursor = task.position + 1
        if parent.task.flow is Flow.SEQUENCE and not task.async_:
            body.blocking = run.id


def adopted(state: State, event: happened.RunAdopted) -> None:
    run = state.runs[event.run]
    task = state.plan.tasks[event.task]
    body = run.below
    body.cursor = task.position + 1
    run.frame.prefetched.discard(event.task)
    if event.child is None:
        body.blocking = None
        body.results[task.namespace] = dict.get(run.scope.output_scope(), task.namespace)
        return
    child = state.runs[event.child]
    if child.parent is run:
        child.demanded = False
    else:
        run.frame.of(task).waiters.setdefault(task.number, []).append(run.id)
    if not task.async_:
        body.blocking = child.id


def held(state: State, event: happened.RunHeld) -> None:
    run = state.runs[event.run]
    state.move(run, _E.PAUSED)
    run.stepped = True
    state.held[run.id] = None


def waiting(state: State, event: happened.RunWaiting) -> None:
    run = state.runs[event.run]
    state.move(run, _E.WAIT_FOR_DEPENDENCIES)
    for number in event.tasks:
        run.frame.of(state.plan.tasks[number]).waiters.setdefault(number, []).append(run.id)


def released(state: State, event: happened.RunReleased) -> None:
    run = state.runs[event.run]
    if run.status is not _E.PENDING:
        state.move(run, _E.PENDING)
    state.held.pop(run.id, None)
    run.timers.pop(TimerKind.DELAY, None)
    run.stage = event.stage


def queued(state: State, event: happened.RunQueued) -> None:
    run = state.runs[event.run]
    assert run.parent is not None
    run.parent.below.queue.append(run.id)


def admitted(state: State, event: happened.RunAdmitted) -> None:
    run = state.runs[event.run]
    assert run.parent is not None
    body = run.parent.below
    body.places += 1
    if body.queue and body.queue[0] == run.id:
        body.queue.popleft()
    run.admitted = True
    run.stage = Stage.PLACE


def delayed(state: State, event: happened.RunDelayed) -> None:
    state.runs[event.run].timers[TimerKind.DELAY] = event.due


def entered(state: State, event: happened.RunEntered) -> None:
    run = state.runs[event.run]
    run.entered = True
    if event.variables is not None:
        run.scope = Scope(event.variables, run.scope, outputs=False)
    if run.task.composite:
        run.body = Body()
        state.move(run, _E.WAIT_FOR_SUB_TASKS)
        if run.target is not None:
            run.body.cursor = state.plan.child_towards(run.task, run.target).position
        if event.due is not None:
            run.timers[TimerKind.TIMEOUT] = event.due


def fan_out_begun(state: State, event: happened.FanOutBegun) -> None:
    run = state.runs[event.run]
    run.body = FanBody(event.items)


def group_opened(state: State, event: happened.GroupOpened) -> None:
    emitter = state.runs[event.run]
    parent = state.runs[event.parent]
    group = Run(event.group, emitter.task, parent, emitter.scope, emitter.frame)
    group.group = True
    group.entered = True
    group.status = _E.WAIT_FOR_SUB_TASKS
    group.body = FanBody(event.items)
    state.runs[group.id] = group
    parent.below.children[group.id] = group
    parent.below.open += 1
    emitter.frame.of(emitter.task).groups[emitter.task.number] = group.id


def group_joined(state: State, event: happened.GroupJoined) -> None:
    run = state.runs[event.run]
    group = state.runs[event.group]
    group.fan.joined = run.id
    run.child = event.group
    state.move(run, _E.WAIT_ASYNC)
    if event.due is not None:
        run.timers[TimerKind.TIMEOUT] = event.due


def items_closed(state: State, event: happened.ItemsClosed) -> None:
    body = state.runs[event.run].below
    body.phase = Phase.DRAINING
    body.outcome = Outcome.COMPLETED


def attempt_scheduled(state: State, event: happened.AttemptScheduled) -> None:
    run = state.runs[event.run]
    state.move(run, _E.SCHEDULED)
    run.attempt = event.attempt
    run.tries += 1
    run.timers.clear()
    if not run.scheduled:
        run.scheduled = True
        run.entered = True
        run.input = event.input


def attempt_begun(state: State, event: happened.AttemptBegun) -> None:
    run = state.runs[event.run]
    state.move(run, _E.RUNNING)
    if event.due is not None:
        run.timers[TimerKind.TIMEOUT] = event.due
    if event.heartbeat is not None:
        run.timers[TimerKind.HEARTBEAT] = event.heartbeat


def heartbeat_received(state: State, event: happened.HeartbeatReceived) -> None:
    state.runs[event.run].timers[TimerKind.HEARTBEAT] = event.due


def child_awaited(state: State, event: happened.ChildAwaited) -> None:
    run = state.runs[event.run]
    state.move(run, _E.WAIT_ASYNC)
    run.child = event.child
    run.owns_child = event.owned
    run.ignore_error = event.ignore_error
    run.timers.pop(TimerKind.HEARTBEAT, None)
    if event.due is not None:
        run.timers[TimerKind.TIMEOUT] = event.due


def signal_awaited(state: State, event: happened.SignalAwaited) -> None:
    run = state.runs[event.run]
    state.move(run, _E.WAIT_ASYNC)
    run.signal = event.name
    state.signal_waiters.setdefault(event.name, deque()).append(run.id)
    if event.due is not None:
        run.timers[TimerKind.TIMEOUT] = event.due


def signal_taken(state: State, event: happened.SignalTaken) -> None:
    run = state.runs[event.run]
    waiting = state.signals[event.name]
    run.output = waiting.popleft()
    run.has_output = True
    if not waiting:
        del state.signals[event.name]
    run.timers.pop(TimerKind.TIMEOUT, None)
    _stop_awaiting(state, run)


def _stop_awaiting(state: State, run: Run) -> None:
    if run.signal is None:
        return
    waiters = state.signal_waiters.get(run.signal)
    if waiters is not None and run.id in waiters:
        waiters.remove(run.id)
        if not waiters:
            del state.signal_waiters[run.signal]
    run.signal = None


def retry_scheduled(state: State, event: happened.RetryScheduled) -> None:
    run = state.runs[event.run]
    state.move(run, _E.PENDING)
    run.child = None
    if event.crashed:
        run.tries -= 1
    run.timers.clear()
    run.timers[TimerKind.RETRY] = event.due


def result_dropped(state: State, event: happened.ResultDropped) -> None:
    """A fact for the record: nothing follows from it."""


def cancel_signalled(state: State, event: happened.CancelSignalled) -> None:
    run = state.runs[event.run]
    run.signalled = True
    run.timers.clear()
    run.timers[TimerKind.GRACE] = event.due


def skipped(state: State, event: happened.RunSkipped) -> None:
    run = state.runs[event.run]
    state.move(run, _E.SKIPPED)
    task = run.task
    scope = run.scope.output_scope() if task.role is not Role.BODY else None
    if scope is not None and task.number:
        if scope.skipped is None:
            scope.skipped = set()
        scope.skipped.add(task.namespace)
    _store(state, run, None, keep=False)
    _leave(state, run)


def completed(state: State, event: happened.RunCompleted) -> None:
    run = state.runs[event.run]
    state.move(run, _E.COMPLETED)
    scope = run.scope
    if run.task.role is not Role.BODY or run.group or not _left(run, event):
        _store(state, run, event.output, keep=True)
    for write in event.writes:
        _write(state, scope, write)
    _leave(state, run)


def _left(run: Run, event: happened.RunCompleted) -> bool:
    """Whether the run is over because control moves elsewhere: then it is no item's result."""
    return event.goto is not None or (run.body is not None and run.body.outcome is Outcome.LEFT)


def _store(state: State, run: Run, output: Any, *, keep: bool) -> None:
    task = run.task
    parent = run.parent
    if parent is None or run.group:
        run.output = output
        run.has_output = True
        return
    if task.role is Role.BODY:
        fan = parent.fan
        assert run.index is not None
        fan.outputs[run.index] = output
        fan.succeeded += 1
        fan.last = run.index
        if fan.first is None and keep:
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


def _leave(state: State, run: Run) -> None:
    """Take an ended run out of what is in flight. One that did not succeed stays, for `ProcessRestarted`."""
    good = run.status in (_E.COMPLETED, _E.SKIPPED)
    run.timers.clear()
    state.held.pop(run.id, None)
    _stop_awaiting(state, run)
    task = run.task
    if not task.composite and not run.group:
        state.tally.count(run.status, 1)
    if task.tracked and not run.group:
        if run.frame.live.get(task.number) == run.id:
            del run.frame.live[task.number]
        if task.watched:
            run.frame.done[task.number] = run.status
            run.frame.waiters.pop(task.number, None)
    if good and (not run.group or not _awaited(run)):
        del state.runs[run.id]
    if good and task.flow is Flow.JOIN and run.child is not None:
        _forget_group(state, run.child)
    parent = run.parent
    if parent is None:
        return
    body = parent.below
    body.open -= 1
    if run.admitted:
        body.places -= 1
    elif body.queue and run.id in body.queue:
        body.queue.remove(run.id)
    if good and (not run.group or not _awaited(run)):
        body.children.pop(run.id, None)
    if good:
        if body.blocking == run.id:
            body.blocking = None
        if run.body is not None:
            _fold(state, run)


def _awaited(group: Run) -> bool:
    return group.task.fan_out is not None and group.task.fan_out.awaited


def _forget_group(state: State, group_id: str) -> None:
    """A group whose results were taken. What of it is still being stopped stays until it has."""
    group = state.runs.get(group_id)
    if group is not None and group.status.final and group.parent is not None:
        del state.runs[group_id]
        group.parent.below.children.pop(group_id, None)


def _fold(state: State, run: Run) -> None:
    """Forget what failed below a run that made it good."""
    below = list(run.below.children.values())
    while below:
        gone = below.pop()
        state.runs.pop(gone.id, None)
        if gone.body is not None:
            below.extend(gone.body.children.values())
    if not run.group:
        run.body = None


def closing(state: State, event: happened.RunClosing) -> None:
    body = state.runs[event.run].below
    body.phase = Phase.DRAINING
    body.outcome = event.outcome
    body.failure = event.failure
    body.jump = None


def jump_requested(state: State, event: happened.JumpRequested) -> None:
    state.runs[event.run].below.jump = (event.target, event.leaving)


def jumped(state: State, event: happened.Jumped) -> None:
    run = state.runs[event.run]
    body = run.below
    body.jump = None
    body.phase = Phase.BODY
    body.outcome = None
    body.failure = None
    body.blocking = None
    body.caught = False
    state.jumps += 1
    if run.task.flow is Flow.SEQUENCE:
        body.cursor = state.plan.child_towards(run.task, event.target).position
