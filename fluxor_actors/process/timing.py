"""Timers that are due."""

from __future__ import annotations

from fluxor_actors.errors import ActionTimeoutError, AwaitTimeoutError
from fluxor_actors.process.approving import expire
from fluxor_actors.process.attempting import schedule, timed_out
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.effects import AbandonAttempt
from fluxor_actors.process.ending import fail, stop
from fluxor_actors.process.events import Outcome, TimeoutLapsed
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.opening import delay_over
from fluxor_actors.process.plan import Flow
from fluxor_actors.process.run import Run
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Step, Turn

__all__ = ["fire"]

_E = ExecutionState
_ALWAYS = (TimerKind.GRACE, TimerKind.HEARTBEAT)


def fire(turn: Turn, run: Run | None, kind: TimerKind, due: float) -> None:
    """A timer is due. While the process pauses, only those of what still runs have an effect; the others wait in the state."""
    if run is None or not turn.live(run) or run.timers.get(kind) != due:
        return
    if turn.state.pausing and kind not in _ALWAYS and run.status not in (_E.SCHEDULED, _E.RUNNING):
        return
    if kind is TimerKind.DELAY:
        delay_over(turn, run)
    elif kind is TimerKind.RETRY:
        schedule(turn, run)
    elif kind is TimerKind.APPROVAL:
        expire(turn, run)
    elif kind is TimerKind.GRACE:
        if run.status in (_E.SCHEDULED, _E.RUNNING) or run.waiting:
            turn.do(AbandonAttempt(run.id, run.attempt))
        stop(turn, run)
    elif run.delegated is not None and run.delegated.collecting:
        _wait_over(turn, run)
    elif run.status in (_E.SCHEDULED, _E.RUNNING) or run.task.flow is Flow.ACTION:
        timed_out(turn, run, kind)
    else:
        _wait_over(turn, run)


def _wait_over(turn: Turn, run: Run) -> None:
    task = run.task
    seconds = task.timeout
    if task.join is not None and task.join.timeout is not None:
        seconds = task.join.timeout
    elif seconds is None and task.fan_out is not None:
        seconds = task.fan_out.join.timeout
    text = f"{task.id} timed out" + ("" if seconds is None else f" after {seconds:g} s")
    if run.status is _E.WAIT_FOR_SUB_TASKS:
        awaited = task.timeout is None
        error = AwaitTimeoutError(text) if awaited else ActionTimeoutError(text)
        turn.emit(TimeoutLapsed(run.id))
        turn.then(Step.CLOSE, run, Outcome.FAILED, Failure.of(error, task=task.id, retryable=False))
        return
    what = f"signal {task.join.signal!r}" if task.join is not None and task.join.signal else "the group"
    group = turn.state.runs.get(run.child) if run.child is not None else None
    error = AwaitTimeoutError(f"{text}: {what} did not arrive")
    fail(turn, run, Failure.of(error, task=task.id, retryable=False))
    if group is not None:
        turn.then(Step.CLOSE, group, Outcome.CANCELLED)
