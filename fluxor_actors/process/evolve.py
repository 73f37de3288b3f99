"""What each event does to the state. The only code that changes one; live work and replay both come through here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fluxor_actors.process import events as happened
from fluxor_actors.process import evolve_process as whole
from fluxor_actors.process import evolve_run as single
from fluxor_actors.process.events import Event
from fluxor_actors.process.state import State

__all__ = ["evolve"]

_RULES: dict[type, Callable[[State, Any], None]] = {
    happened.ProcessStarted: whole.started,
    happened.PauseRequested: whole.pause_requested,
    happened.ProcessPaused: whole.paused,
    happened.ProcessResumed: whole.resumed,
    happened.ProcessCancelRequested: whole.cancel_requested,
    happened.ProcessCancelled: whole.cancelled,
    happened.ProcessCompleted: whole.completed,
    happened.ProcessFailed: whole.failed,
    happened.ProcessRestarted: whole.restarted,
    happened.SessionSteered: whole.steered,
    happened.SignalReceived: whole.signal_received,
    happened.SignalAwaited: single.signal_awaited,
    happened.SignalTaken: single.signal_taken,
    happened.RunOpened: single.opened,
    happened.RunAdopted: single.adopted,
    happened.RunHeld: single.held,
    happened.RunWaiting: single.waiting,
    happened.RunReleased: single.released,
    happened.RunQueued: single.queued,
    happened.RunAdmitted: single.admitted,
    happened.RunDelayed: single.delayed,
    happened.RunEntered: single.entered,
    happened.RunSkipped: single.skipped,
    happened.FanOutBegun: single.fan_out_begun,
    happened.GroupOpened: single.group_opened,
    happened.GroupJoined: single.group_joined,
    happened.ItemsClosed: single.items_closed,
    happened.AttemptScheduled: single.attempt_scheduled,
    happened.AttemptBegun: single.attempt_begun,
    happened.HeartbeatReceived: single.heartbeat_received,
    happened.ChildAwaited: single.child_awaited,
    happened.RetryScheduled: single.retry_scheduled,
    happened.ResultDropped: single.result_dropped,
    happened.CancelSignalled: single.cancel_signalled,
    happened.RunCompleted: single.completed,
    happened.RunFailed: single.failed,
    happened.RunCancelled: single.cancelled,
    happened.RunClosing: single.closing,
    happened.JumpRequested: single.jump_requested,
    happened.Jumped: single.jumped,
}


def evolve(state: State, event: Event) -> State:
    """Apply one event. The state is changed in place, and returned."""
    _RULES[type(event)](state, event)
    state.sequence += 1
    return state
