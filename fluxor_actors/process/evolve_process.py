"""What events of the whole process do to its state."""

from __future__ import annotations

from collections import deque

from fluxor_actors.process import events as happened
from fluxor_actors.process.plan import Flow
from fluxor_actors.process.run import Phase, Run, Stage
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState, ProcessState

__all__: list[str] = []

_REOPENED = (ExecutionState.FAILED, ExecutionState.CANCELLED)


def started(state: State, event: happened.ProcessStarted) -> None:
    state.id = event.process_id
    state.workflow = event.workflow
    state.version = event.version
    state.definition_hash = event.definition_hash
    state.labels = event.labels
    state.requested_by = event.requested_by
    state.parent_id = event.parent_id
    state.parent_run = event.parent_run
    state.root_id = event.root_id or event.process_id
    state.environment = event.environment
    state.values = event.values
    state.selected = state.plan.selection(event.tasks)
    state.session.update(event.session)
    state.enter(ProcessState.RUNNING)


def pause_requested(state: State, event: happened.PauseRequested) -> None:
    if state.status is not ProcessState.PAUSE_REQUESTED:
        state.enter(ProcessState.PAUSE_REQUESTED)


def paused(state: State, event: happened.ProcessPaused) -> None:
    state.enter(ProcessState.PAUSED)


def resumed(state: State, event: happened.ProcessResumed) -> None:
    state.enter(ProcessState.RUNNING)


def cancel_requested(state: State, event: happened.ProcessCancelRequested) -> None:
    state.enter(ProcessState.CANCEL_REQUESTED)
    state.cancel_reason = event.reason


def cancelled(state: State, event: happened.ProcessCancelled) -> None:
    state.enter(ProcessState.CANCELLED)
    if event.failure is not None:
        state.errors[event.failure.task] = event.failure.message
    state.errors[state.plan.root.id] = state.cancel_reason or "cancelled"


def completed(state: State, event: happened.ProcessCompleted) -> None:
    state.enter(ProcessState.COMPLETED)
    state.restarted = False


def failed(state: State, event: happened.ProcessFailed) -> None:
    state.enter(ProcessState.FAILED)
    state.errors[event.failure.task or state.plan.root.id] = event.failure.message


def steered(state: State, event: happened.SessionSteered) -> None:
    for name, value in event.values.items():
        state.write(state.session, name, value)


def signal_received(state: State, event: happened.SignalReceived) -> None:
    state.signals_seen[event.name] = event.value
    state.signals.setdefault(event.name, deque()).append(event.value)


def restarted(state: State, event: happened.ProcessRestarted) -> None:
    state.enter(ProcessState.RUNNING)
    state.errors.clear()
    state.cancel_reason = None
    state.finished_at = None
    state.restarted = True
    for run in tuple(state.runs.values()):
        # A task comes before those below it, and may have removed some of them.
        if run.status in _REOPENED and run.id in state.runs:
            _reopen(state, run)


def _reopen(state: State, run: Run) -> None:
    task = run.task
    if not task.composite and not run.group:
        state.tally.count(run.status, -1)
    run.tries = 0
    run.failure = None
    run.signalled = False
    run.child = None
    run.signal = None
    run.timers.clear()
    run.stepped = True
    if task.tracked and not run.group:
        run.frame.live[task.number] = run.id
        run.frame.done.pop(task.number, None)
    if run.parent is not None:
        below = run.parent.below
        below.open += 1
        if run.admitted:
            below.places += 1
    if run.body is None or not run.entered or run.has_output:
        if not run.entered and not run.has_output:
            run.stage = min(run.stage, Stage.PLACE) if run.admitted else Stage.NEW
        state.move(run, ExecutionState.PENDING)
        return
    state.move(run, ExecutionState.WAIT_FOR_SUB_TASKS)
    body = run.body
    body.phase = Phase.BODY
    body.outcome = None
    body.failure = None
    body.caught = False
    body.finalized = False
    body.jump = None
    if task.flow is Flow.FAN_OUT:
        run.fan.failed = 0
    for child in tuple(body.children.values()):
        # What was to clean up, or to make good, has to be asked for anew.
        if child.task.number in (task.catch, task.finally_):
            _forget(state, child)
            del body.children[child.id]


def _forget(state: State, run: Run) -> None:
    below = [run]
    while below:
        gone = below.pop()
        state.runs.pop(gone.id, None)
        # It will be opened anew, and is not counted twice.
        if not gone.task.composite and not gone.group and gone.status.final:
            state.tally.count(gone.status, -1)
            state.tally.total -= 1
        if gone.task.tracked and gone.frame.live.get(gone.task.number) == gone.id:
            del gone.frame.live[gone.task.number]
        if gone.body is not None:
            below.extend(gone.body.children.values())
