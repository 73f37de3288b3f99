"""What events of attempts, fan-outs, groups and signals do to a state."""

from __future__ import annotations

from collections import deque

from fluxor_actors.process import events as happened
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.evolve_delegation import give_up, start_over
from fluxor_actors.process.evolve_ending import forget_group, stop_awaiting
from fluxor_actors.process.run import FanBody, Run
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState

__all__: list[str] = []

_E = ExecutionState


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
    groups = emitter.frame.of(emitter.task).groups
    earlier = groups.get(emitter.task.number)
    groups[emitter.task.number] = group.id
    if earlier is not None and earlier in state.runs and state.runs[earlier].status is _E.COMPLETED:
        # Nobody can join it any more.
        forget_group(state, earlier)


def group_joined(state: State, event: happened.GroupJoined) -> None:
    run = state.runs[event.run]
    group = state.runs[event.group]
    group.fan.joined = run.id
    run.child = event.group
    state.move(run, _E.WAIT_ASYNC)
    if event.due is not None:
        run.timers[TimerKind.TIMEOUT] = event.due


def attempt_scheduled(state: State, event: happened.AttemptScheduled) -> None:
    run = state.runs[event.run]
    state.move(run, _E.SCHEDULED)
    run.attempt = event.attempt
    run.tries += 1
    if run.delegated is not None:
        start_over(state, run.delegated)
    if run.timers:
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
    if run.status is not _E.WAIT_ASYNC:
        state.move(run, _E.WAIT_ASYNC)
    if run.delegated is not None:
        run.delegated.waits.clear()
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
    stop_awaiting(state, run)


def retry_scheduled(state: State, event: happened.RetryScheduled) -> None:
    run = state.runs[event.run]
    state.move(run, _E.PENDING)
    _detach(run)
    if event.crashed:
        run.tries -= 1
    elif run.delegated is not None:
        give_up(state, run)
    if run.delegated is not None:
        run.delegated.waits.clear()
    run.timers.clear()
    run.timers[TimerKind.RETRY] = event.due


def _detach(run: Run) -> None:
    run.child = None
    run.owns_child = False
    run.ignore_error = False


def result_dropped(state: State, event: happened.ResultDropped) -> None:
    """A fact for the record: nothing follows from it."""


def cancel_signalled(state: State, event: happened.CancelSignalled) -> None:
    run = state.runs[event.run]
    run.signalled = True
    run.timers.clear()
    run.timers[TimerKind.GRACE] = event.due
