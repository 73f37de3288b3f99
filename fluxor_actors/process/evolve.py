"""What each event does to the state. The only code that changes one; live work and replay both come through here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fluxor_actors.process import events as happened
from fluxor_actors.process import evolve_approval as approval
from fluxor_actors.process import evolve_attempt as attempt
from fluxor_actors.process import evolve_closing as closing
from fluxor_actors.process import evolve_delegation as delegation
from fluxor_actors.process import evolve_ending as ending
from fluxor_actors.process import evolve_opening as opening
from fluxor_actors.process import evolve_process as whole
from fluxor_actors.process import evolve_restart as restart
from fluxor_actors.process.events import Event
from fluxor_actors.process.state import State

__all__ = ["RULES", "evolve"]

RULES: Mapping[type, Callable[[State, Any], None]] = {
    happened.ProcessStarted: whole.started,
    happened.PauseRequested: whole.pause_requested,
    happened.ProcessPaused: whole.paused,
    happened.ProcessResumed: whole.resumed,
    happened.ProcessCancelRequested: whole.cancel_requested,
    happened.ProcessCancelled: whole.cancelled,
    happened.ProcessCompleted: whole.completed,
    happened.ProcessFailed: whole.failed,
    happened.ProcessRestarted: restart.restarted,
    happened.SessionSteered: whole.steered,
    happened.SignalReceived: whole.signal_received,
    happened.SignalAwaited: attempt.signal_awaited,
    happened.SignalTaken: attempt.signal_taken,
    happened.RunOpened: opening.opened,
    happened.RunAdopted: opening.adopted,
    happened.RunHeld: opening.held,
    happened.RunWaiting: opening.waiting,
    happened.RunReleased: opening.released,
    happened.RunQueued: opening.queued,
    happened.RunAdmitted: opening.admitted,
    happened.RunDelayed: opening.delayed,
    happened.RunEntered: opening.entered,
    happened.RunRevived: opening.revived,
    happened.TimeoutLapsed: closing.timeout_lapsed,
    happened.RunSkipped: ending.skipped,
    happened.FanOutBegun: attempt.fan_out_begun,
    happened.GroupOpened: attempt.group_opened,
    happened.GroupJoined: attempt.group_joined,
    happened.ItemsClosed: closing.items_closed,
    happened.AttemptScheduled: attempt.attempt_scheduled,
    happened.AttemptBegun: attempt.attempt_begun,
    happened.HeartbeatReceived: attempt.heartbeat_received,
    happened.ChildAwaited: attempt.child_awaited,
    happened.RetryScheduled: attempt.retry_scheduled,
    happened.ResultDropped: attempt.result_dropped,
    happened.CancelSignalled: attempt.cancel_signalled,
    happened.ApprovalRequested: approval.requested,
    happened.ApprovalVoted: approval.voted,
    happened.ApprovalGranted: approval.granted,
    happened.ApprovalRefused: approval.refused,
    happened.ApprovalExpired: approval.expired,
    happened.ApprovalWithdrawn: approval.withdrawn,
    happened.RunCompleted: ending.completed,
    happened.RunFailed: ending.failed,
    happened.RunCancelled: ending.cancelled,
    happened.RunClosing: closing.closing,
    happened.JumpRequested: closing.jump_requested,
    happened.Jumped: closing.jumped,
    happened.GroupEmitted: delegation.group_emitted,
    happened.WaitBegun: delegation.wait_begun,
    happened.WaitEnded: delegation.wait_ended,
    happened.ExecutionResumed: delegation.execution_resumed,
    happened.OutputAwaited: delegation.output_awaited,
}


def evolve(state: State, event: Event) -> State:
    """Apply one event. The state is changed in place, and returned."""
    RULES[type(event)](state, event)
    state.sequence += 1
    return state
