"""The heart: what follows from a command.

A command's first events are applied at once; what follows from them stands on an agenda, worked off until nothing is left, so that a
long cascade is a loop and not a recursion. Nothing here waits, reads a clock, draws a chance or touches anything but the state it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fluxor_actors.light import frozen
from fluxor_actors.process import (
    approving,
    attempting,
    closing,
    commands,
    controlling,
    deadlocking,
    delegating,
    demanding,
    ending,
    following,
    jumping,
    opening,
    reviving,
    running,
    timing,
)
from fluxor_actors.process.commands import Command
from fluxor_actors.process.effects import ApprovalEffect, Effect
from fluxor_actors.process.events import Event
from fluxor_actors.process.joining import check_join
from fluxor_actors.process.run import Run
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ProcessState
from fluxor_actors.process.turn import Note, Rules, Step, Turn

__all__ = ["Decision", "Rules", "decide"]


@frozen(slots=True)
class Decision:
    """What was decided: the events, already applied to the state; the effects, to be carried out once the events are committed.

    ``asked``: those of the effects that say what has happened to approval requests, to be kept along with the events; None: nothing.
    """

    events: list[Event]
    effects: list[Effect]
    notes: list[Note]
    asked: list[ApprovalEffect] | None = None


def _advance(turn: Turn, command: commands.Advance) -> None:
    run = turn.state.runs.get(command.run)
    if run is not None:
        running.advance(turn, run)


def _fire(turn: Turn, command: commands.FireTimer) -> None:
    timing.fire(turn, turn.state.runs.get(command.run), command.kind, command.due)


def _check_join(turn: Turn, run: Run, group: Run) -> None:
    if run.delegated is None:
        check_join(turn, run, group)
    else:
        delegating.check_group(turn, run, group)


_COMMANDS: dict[type, Callable[[Turn, Any], None]] = {
    commands.Start: controlling.start,
    commands.AttemptStarted: attempting.started,
    commands.AttemptSucceeded: attempting.succeeded,
    commands.AttemptFailed: attempting.failed,
    commands.AttemptSuspended: attempting.suspended,
    commands.ChildEnded: attempting.child_ended,
    commands.FireTimer: _fire,
    commands.Heartbeat: attempting.heartbeat,
    commands.Advance: _advance,
    commands.Pause: controlling.pause,
    commands.Resume: controlling.resume,
    commands.Cancel: controlling.cancel,
    commands.ResumeFailed: controlling.resume_failed,
    commands.Signal: controlling.signal,
    commands.Steer: controlling.steer,
    commands.Decide: approving.decide_request,
    commands.Recover: controlling.recover,
    commands.EmitTasks: delegating.emit_tasks,
    commands.AwaitWork: delegating.await_work,
    commands.EndWait: delegating.end_wait,
    commands.ResumeExecution: delegating.resume_execution,
}

_STEPS: dict[Step, Callable[..., None]] = {
    Step.BEGIN: opening.begin,
    Step.ADVANCE: running.advance,
    Step.CHILD_ENDED: following.child_ended,
    Step.DEPENDENCY_ENDED: following.dependency_ended,
    Step.COMPLETE: ending.complete,
    Step.FAIL: ending.fail,
    Step.STOP: ending.stop,
    Step.CANCEL: closing.cancel,
    Step.CLOSE: closing.close,
    Step.SETTLE: closing.settle,
    Step.JUMP: jumping.jump,
    Step.RESTART: jumping.restart,
    Step.FIRE: timing.fire,
    Step.OPEN: demanding.open_demanded,
    Step.CHECK_JOIN: _check_join,
    Step.REVIVE: reviving.revive,
    Step.RELEASE: controlling.release,
    Step.GO_ON: delegating.go_on,
}
_TABLE = tuple(_STEPS[step] for step in Step)


def decide(state: State, command: Command, now: float, rules: Rules) -> Decision:
    """Decide what follows from a command, and apply it to the state, which is changed in place.

    Args:
        state: the process.
        command: what it is told.
        now: seconds since the epoch.
        rules: the engine's settings.

    Raises:
        InvalidStateError: the command is not possible in this state; nothing has changed.
        InputError: the process cannot start with what it was given; nothing has changed.
    """
    turn = Turn(state, now, rules)
    _COMMANDS[type(command)](turn, command)
    agenda, table = turn.agenda, _TABLE
    seen = -1
    # Nothing new since the last look: then another one would not help.
    while agenda or (not state.active and seen != (seen := len(turn.events)) and deadlocking.stir(turn)):
        step, *arguments = agenda.popleft()
        table[step](turn, *arguments)
    if state.status is ProcessState.PAUSE_REQUESTED:
        controlling.settle_pause(turn)
    if turn.events:
        if state.sequence == len(turn.events):
            state.created_at = now
        state.updated_at = now
        if state.finished_at is None and state.status.final:
            state.finished_at = now
    return Decision(turn.events, turn.effects, turn.notes, turn.asked)
