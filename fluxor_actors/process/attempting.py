"""Attempts at an action: handing one out, and what comes back."""

from __future__ import annotations

import zlib

from fluxor_actors.definition.model import Backoff, OnCrash, Retry
from fluxor_actors.errors import ActionCrashedError, ActionTimeoutError, ChildFailedError, DeadlockError, FluxorError
from fluxor_actors.names import child_process_id
from fluxor_actors.process import commands
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.delegating import collect
from fluxor_actors.process.effects import AbandonAttempt, CancelChild, Dispatch, PauseChild, SignalCancel, WatchChild
from fluxor_actors.process.ending import complete
from fluxor_actors.process.events import (
    AttemptBegun,
    AttemptScheduled,
    ChildAwaited,
    HeartbeatReceived,
    Outcome,
    ResultDropped,
    RetryScheduled,
)
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.requests import ask
from fluxor_actors.process.run import Run
from fluxor_actors.process.states import ExecutionState, ProcessState
from fluxor_actors.process.turn import Step, Turn

__all__ = [
    "child_ended",
    "failed",
    "heartbeat",
    "lose",
    "retry_delay",
    "schedule",
    "started",
    "succeeded",
    "suspended",
    "timed_out",
]

_E = ExecutionState
_UNDER_WAY = (_E.SCHEDULED, _E.RUNNING)


def schedule(turn: Turn, run: Run) -> None:
    """Hand out the next attempt."""
    task = run.task
    value = run.input
    if not run.scheduled and run.approval is None and task.input is not None:
        try:
            value = task.input.expand(run.scope, turn.now)
        except FluxorError as error:
            turn.then(Step.FAIL, run, Failure.of(error, task=task.id, retryable=False))
            return
    attempt = run.attempt + 1
    turn.emit(AttemptScheduled(run.id, attempt, None if run.scheduled else value))
    turn.effects.append(Dispatch(run.id, task.number, attempt, value))


def _current(turn: Turn, run_id: str, attempt: int) -> Run | None:
    """The run, if that attempt at it is the one under way."""
    run = turn.state.runs.get(run_id)
    if run is not None and run.attempt == attempt and (run.status in _UNDER_WAY or run.waiting):
        return run
    return None


def started(turn: Turn, command: commands.AttemptStarted) -> None:
    """A worker has begun with the attempt: its timeout counts from here."""
    run = _current(turn, command.run, command.attempt)
    if run is None or run.status is not _E.SCHEDULED:
        return
    task = run.task
    due = beat = None
    if not run.signalled:
        due = None if task.timeout is None else turn.now + task.timeout
        beat = None if task.heartbeat is None else turn.now + task.heartbeat
    turn.emit(AttemptBegun(run.id, run.attempt, due, beat))
    if due is not None:
        turn.start_timer(run, TimerKind.TIMEOUT, due)
    if beat is not None:
        turn.start_timer(run, TimerKind.HEARTBEAT, beat)


def heartbeat(turn: Turn, command: commands.Heartbeat) -> None:
    """The action is alive."""
    run = _current(turn, command.run, command.attempt)
    if run is None or run.task.heartbeat is None or run.signalled or run.waiting:
        return
    due = turn.now + run.task.heartbeat
    turn.emit(HeartbeatReceived(run.id, due))
    turn.start_timer(run, TimerKind.HEARTBEAT, due)


def succeeded(turn: Turn, command: commands.AttemptSucceeded) -> None:
    """The attempt has returned."""
    run = _current(turn, command.run, command.attempt)
    if run is None:
        _drop(turn, command.run, command.attempt, succeeded=True)
    elif run.task.join is None or not collect(turn, run):
        complete(turn, run, command.output, command.started if run.status is _E.SCHEDULED else None)


def _drop(turn: Turn, run_id: str, attempt: int, *, succeeded: bool) -> None:
    if turn.state.status is not ProcessState.PENDING:
        turn.emit(ResultDropped(run_id, attempt, succeeded))


def failed(turn: Turn, command: commands.AttemptFailed) -> None:
    """The attempt has raised: another may follow."""
    run = _current(turn, command.run, command.attempt)
    if run is None:
        _drop(turn, command.run, command.attempt, succeeded=False)
    else:
        _fail_attempt(turn, run, command.failure, command.started if run.status is _E.SCHEDULED else None)


def _fail_attempt(turn: Turn, run: Run, failure: Failure, started: float | None = None) -> None:
    failure = failure.at(run.task.id, run.attempt)
    if run.signalled:
        _disown(turn, run)
        turn.then(Step.STOP, run)
        return
    retry = run.task.retry
    if retry is None or not _another(turn, run, retry, failure):
        _disown(turn, run)
        turn.then(Step.FAIL, run, failure, started)
        return
    _schedule_retry(turn, run, failure, retry_delay(retry, run.tries, f"{turn.state.id}/{run.id}"))


def _schedule_retry(turn: Turn, run: Run, failure: Failure, delay: float, *, crashed: bool = False) -> None:
    due = turn.now + delay
    turn.stop_timers(run)
    emitted = () if run.delegated is None or crashed else tuple(run.delegated.groups.values())
    turn.emit(RetryScheduled(run.id, failure, due, crashed))
    for group_id in emitted:
        # The next attempt emits anew.
        if group_id in turn.state.runs:
            turn.then(Step.CLOSE, turn.state.runs[group_id], Outcome.CANCELLED)
    if delay > 0:
        turn.start_timer(run, TimerKind.RETRY, due)
    else:
        turn.then(Step.FIRE, run, TimerKind.RETRY, due)


def _another(turn: Turn, run: Run, retry: Retry, failure: Failure) -> bool:
    if retry.type is Backoff.NONE or not failure.retryable or run.tries > retry.max_retries:
        return False
    return not retry.retry_on or failure.matches(retry.retry_on)


def retry_delay(retry: Retry, tries: int, seed: str) -> float:
    """Seconds before the attempt that follows the ``tries``-th. The spread is drawn from ``seed``: the same in every replay.

    Example:
        >>> retry_delay(Retry(type="exponential", delay=1, multiplier=2), 3, "p/run")
        4
    """
    delay = retry.delay
    if retry.type is Backoff.EXPONENTIAL:
        try:
            delay *= retry.multiplier ** (tries - 1)
        except OverflowError:
            delay = float("inf")
    if retry.max_delay is not None:
        delay = min(delay, retry.max_delay)
    if retry.jitter:
        chance = zlib.crc32(f"{seed}#{tries}".encode("utf-8", "replace")) / 0xFFFFFFFF
        delay *= 1 + retry.jitter * (2 * chance - 1)
    return min(delay, 1e10)


def suspended(turn: Turn, command: commands.AttemptSuspended) -> None:
    """The attempt has given its worker back, and waits for another process."""
    run = _current(turn, command.run, command.attempt)
    if run is None:
        _drop(turn, command.run, command.attempt, succeeded=False)
        if command.owned:
            turn.do(CancelChild(command.child, "nobody waits for it any more"))
        return
    if run.status is _E.SCHEDULED:
        turn.emit(AttemptBegun(run.id, run.attempt))
    due = run.timers.get(TimerKind.TIMEOUT)
    if command.timeout is not None and not run.signalled:
        due = min(turn.now + command.timeout, turn.now + command.timeout if due is None else due)
        turn.start_timer(run, TimerKind.TIMEOUT, due)
    turn.stop_timer(run, TimerKind.HEARTBEAT)
    turn.emit(ChildAwaited(run.id, run.attempt, command.child, command.ignore_error, command.owned, due))
    turn.do(WatchChild(run.id, command.child, not command.owned, due is not None))
    if command.owned and run.signalled:
        turn.do(CancelChild(command.child, turn.state.cancel_reason or "cancelled"))
    elif command.owned and turn.state.pausing:
        turn.do(PauseChild(command.child))


def child_ended(turn: Turn, command: commands.ChildEnded) -> None:
    """The process that the attempt has waited for is final."""
    run = turn.state.runs.get(command.run)
    if run is None or run.status is not _E.WAIT_ASYNC or run.child != command.child:
        return
    if run.signalled:
        turn.then(Step.STOP, run)
    elif command.failure is not None and command.failure.type == DeadlockError.__name__:
        # It has not ended, and could not: nothing that is done with its result would be right.
        if run.owns_child:
            turn.do(CancelChild(command.child, command.failure.message))
        turn.then(Step.FAIL, run, command.failure)
    elif command.failure is None or run.ignore_error:
        turn.then(Step.COMPLETE, run, command.result)
    else:
        message = f"process {command.child} is {command.state}: {command.failure.message}"
        _fail_attempt(turn, run, Failure.of(ChildFailedError(message)))


def timed_out(turn: Turn, run: Run, kind: TimerKind) -> None:
    """The attempt has taken too long, or the action was silent for too long: its result is not waited for."""
    task = run.task
    if run.status is _E.WAIT_ASYNC and not run.waiting:
        if run.owns_child and run.child is not None:
            turn.do(CancelChild(run.child, f"{task.id} timed out"))
    else:
        turn.do(SignalCancel(run.id, run.attempt))
        turn.do(AbandonAttempt(run.id, run.attempt))
    if kind is TimerKind.HEARTBEAT:
        error = ActionTimeoutError(f"{task.id} gave no sign of life for {task.heartbeat:g} s")
    else:
        limit = "" if task.timeout is None else f" after {task.timeout:g} s"
        error = ActionTimeoutError(f"{task.id} timed out{limit}")
    _fail_attempt(turn, run, Failure.of(error))


def lose(turn: Turn, run: Run) -> None:
    """The attempt was under way when the engine died."""
    turn.do(AbandonAttempt(run.id, run.attempt))
    if run.signalled:
        _disown(turn, run)
        turn.then(Step.STOP, run)
        return
    error = ActionCrashedError(f"the engine died while attempt {run.attempt} of {run.task.id} was under way")
    failure = Failure.of(error, task=run.task.id, attempt=run.attempt)
    if run.task.on_crash is OnCrash.ASK:
        ask(turn, run, run.input, f"{error}: may it be tried again?", run.attempt)
    elif run.task.on_crash is OnCrash.RETRY:
        _schedule_retry(turn, run, failure, 0.0, crashed=True)
    else:
        _disown(turn, run)
        turn.then(Step.FAIL, run, failure)


def _disown(turn: Turn, run: Run) -> None:
    """Cancel the sub-workflow that an attempt may have started and not told of before it was lost: no other attempt takes it up."""
    if run.child is None and f"{run.task.service}:{run.task.method}".casefold() == "workflow:run":
        for attempt in range(1, run.attempt + 1):
            turn.do(CancelChild(child_process_id(turn.state.id, run.id, attempt), f"{run.task.id} was lost"))
