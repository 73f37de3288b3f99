"""What people and programs ask of a whole process."""

from __future__ import annotations

from fluxor_actors.errors import FluxorError, InputError, InvalidStateError, TaskNotFoundError
from fluxor_actors.process import commands
from fluxor_actors.process.attempting import lose
from fluxor_actors.process.closing import cancel as cancel_run
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.effects import (
    CancelChild,
    Continue,
    PauseChild,
    ProcessEnded,
    RequestApproval,
    ResumeChild,
    WatchChild,
)
from fluxor_actors.process.events import (
    PauseRequested,
    ProcessCancelled,
    ProcessCancelRequested,
    ProcessPaused,
    ProcessRestarted,
    ProcessResumed,
    ProcessStarted,
    RunReleased,
    SessionSteered,
    SignalReceived,
)
from fluxor_actors.process.joining import take_signal
from fluxor_actors.process.opening import open_run
from fluxor_actors.process.plan import Flow
from fluxor_actors.process.requests import request_of
from fluxor_actors.process.run import FanBody, Run
from fluxor_actors.process.scope import Scope
from fluxor_actors.process.settings import evaluate_init, structure_given
from fluxor_actors.process.states import ExecutionState, ProcessState
from fluxor_actors.process.turn import Step, Turn

__all__ = [
    "cancel",
    "pause",
    "recover",
    "release",
    "resume",
    "resume_failed",
    "settle_pause",
    "signal",
    "start",
    "steer",
]

_P = ProcessState
_E = ExecutionState
_OPEN = tuple(state for state in ProcessState if not state.final)


def _require(turn: Turn, operation: str, *legal: ProcessState) -> None:
    if turn.state.status not in legal:
        raise InvalidStateError(operation, turn.state.status, legal)


def start(turn: Turn, command: commands.Start) -> None:
    """Begin the process.

    Raises:
        InputError: ``init`` cannot be evaluated.
        TaskNotFoundError: there is no such task to start.
    """
    _require(turn, "start", _P.PENDING)
    state, plan = turn.state, turn.plan
    for task_id in command.tasks:
        if task_id not in plan.numbers:
            raise TaskNotFoundError(task_id, candidates=tuple(plan.numbers)[:5])
    state.surround(command.environment)
    settings = [setting for setting in plan.init if setting.path[0] not in command.initial_state]
    try:
        given = structure_given(plan, command.initial_state)
        scope = Scope(given, specials=state.session.specials)
        session = given | evaluate_init(plan, command.environment, settings, scope, turn.now)
    except FluxorError as error:
        raise InputError(f"init of {plan.root.id} cannot be evaluated: {error}") from error
    turn.emit(
        ProcessStarted(
            command.process_id,
            plan.workflow.name,
            plan.workflow.version,
            plan.hash,
            session,
            command.tasks,
            {**plan.workflow.labels, **command.labels},
            command.requested_by,
            command.parent_id,
            command.parent_run,
            command.root_id,
            command.environment,
            command.values,
            command.policies,
        )
    )
    open_run(turn, None, plan.root)


def pause(turn: Turn, command: commands.Pause) -> None:
    """Start nothing new."""
    _require(turn, "pause", _P.RUNNING, _P.PAUSE_REQUESTED, _P.PAUSED)
    if turn.state.status is not _P.RUNNING:
        return
    turn.emit(PauseRequested())
    for run in _with_child(turn):
        assert run.child is not None
        turn.do(PauseChild(run.child))


def settle_pause(turn: Turn) -> None:
    """The process is paused when nothing is under way."""
    if turn.state.status is _P.PAUSE_REQUESTED and turn.state.active == 0:
        turn.emit(ProcessPaused())


def resume(turn: Turn, command: commands.Resume) -> None:
    """Go on after a pause."""
    _require(turn, "resume", _P.PAUSE_REQUESTED, _P.PAUSED, _P.RESUME_REQUESTED, _P.RUNNING)
    state = turn.state
    if state.status is _P.RUNNING:
        return
    turn.emit(ProcessResumed())
    release(turn)


def release(turn: Turn) -> None:
    """Go on with what a pause has held back: runs, timers that fell due, processes that are waited for."""
    state = turn.state
    if state.root is not None and state.root.body is not None and state.root.body.open == 0:
        # All is done, but for the end of the whole.
        turn.then(Step.ADVANCE, state.root)
    for run_id in tuple(state.held):
        run = state.runs[run_id]
        turn.emit(RunReleased(run.id, run.stage))
        turn.then(Step.BEGIN, run)
    for run in state.runs.values():
        for kind, due in run.timers.items():
            if due <= turn.now:
                turn.then(Step.FIRE, run, kind, due)
        if run.waiting:
            turn.then(Step.GO_ON, run)
    for run in _with_child(turn):
        if not run.signalled:
            assert run.child is not None
            turn.do(ResumeChild(run.child))


def _with_child(turn: Turn) -> list[Run]:
    return [run for run in turn.state.runs.values() if run.status is _E.WAIT_ASYNC and run.owns_child and run.child]


def cancel(turn: Turn, command: commands.Cancel) -> None:
    """Stop everything but what cleans up."""
    _require(turn, "cancel", *_OPEN, _P.CANCELLED)
    state = turn.state
    if state.status in (_P.CANCELLED, _P.CANCEL_REQUESTED):
        return
    turn.emit(ProcessCancelRequested(command.reason))
    if state.root is None:
        turn.emit(ProcessCancelled())
        turn.do(ProcessEnded(None))
        return
    cancel_run(turn, state.root)
    # What is cleaning up already, and was held by a pause, goes on.
    turn.then(Step.RELEASE)


def resume_failed(turn: Turn, command: commands.ResumeFailed) -> None:
    """Take up what failed or was cancelled."""
    state = turn.state
    if state.status is _P.RUNNING and state.restarted:
        return
    legal = (_P.FAILED, _P.CANCELLED)
    if state.root is None:
        # It was ended before it had begun.
        raise InvalidStateError("resume_failed", state.status, [each for each in legal if each is not state.status])
    _require(turn, "resume_failed", *legal)
    under_way = not state.root.status.final
    turn.emit(ProcessRestarted())
    if under_way:
        # It did not come to an end by itself, but was given up from outside.
        recover(turn, commands.Recover())
        turn.then(Step.RELEASE)
    else:
        turn.then(Step.REVIVE, state.root)


def signal(turn: Turn, command: commands.Signal) -> None:
    """Keep a named value, and give it to whoever waits for it."""
    _require(turn, "signal", *_OPEN)
    turn.emit(SignalReceived(command.name, command.value))
    waiters = turn.state.signal_waiters.get(command.name)
    if waiters:
        take_signal(turn, turn.state.runs[waiters[0]], command.name)


def steer(turn: Turn, command: commands.Steer) -> None:
    """Set session values while paused."""
    _require(turn, "steer", _P.PAUSED)
    turn.emit(SessionSteered(dict(command.values)))


def recover(turn: Turn, command: commands.Recover) -> None:
    """Do again what may have been lost with the engine: effects, and attempts under way."""
    if turn.state.status.final:
        return
    for run in tuple(turn.state.runs.values()):
        if run.status.final:
            continue
        for kind, due in run.timers.items():
            if run.status not in (_E.SCHEDULED, _E.RUNNING) and not run.waiting:
                turn.start_timer(run, kind, due)
        if run.status in (_E.SCHEDULED, _E.RUNNING) or run.waiting:
            lose(turn, run)
        elif run.status is _E.WAIT_FOR_APPROVAL:
            turn.do(RequestApproval(request_of(turn.state, run), again=True))
        elif run.status is _E.WAIT_ASYNC and run.task.flow is Flow.ACTION and run.child is not None:
            turn.do(WatchChild(run.id, run.child, not run.owns_child, TimerKind.TIMEOUT in run.timers))
            if run.owns_child and run.signalled:
                turn.do(CancelChild(run.child, turn.state.cancel_reason or "cancelled"))
            elif run.owns_child and turn.state.pausing:
                turn.do(PauseChild(run.child))
        elif isinstance(run.body, FanBody) and run.body.cursor < len(run.body.items):
            turn.do(Continue(run.id))
