"""What events of the whole process do to its state."""

from __future__ import annotations

from collections import deque

from fluxor_actors.process import events as happened
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ProcessState

__all__: list[str] = []


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
    state.surround(event.environment)
    state.values = event.values
    state.policies = event.policies
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
