"""Stopping what is below a task, and what comes when all of it has ended: ``catch``, ``finally``, the task's own end."""

from __future__ import annotations

from typing import Any

from fluxor_actors.definition.model import AwaitMode
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.effects import CancelChild, SignalCancel
from fluxor_actors.process.ending import complete, end, fail, stop
from fluxor_actors.process.events import CancelSignalled, Outcome, RunClosing, RunCompleted
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.joining import joined_output
from fluxor_actors.process.opening import error_variables, open_run
from fluxor_actors.process.run import Body, FanBody, Phase, Run
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Step, Turn

__all__ = ["cancel", "close", "settle"]

_E = ExecutionState


def cancel(turn: Turn, run: Run) -> None:
    """Stop a run: at once where nothing is under way, else by asking the action and waiting for the grace."""
    if not turn.live(run):
        return
    if run.body is not None and run.status is _E.WAIT_FOR_SUB_TASKS:
        close(turn, run, Outcome.CANCELLED)
    elif run.status in (_E.SCHEDULED, _E.RUNNING) or run.waiting:
        if not run.signalled:
            turn.do(SignalCancel(run.id, run.attempt))
            _grace(turn, run)
    elif run.status is _E.WAIT_ASYNC and run.owns_child and run.child is not None:
        if not run.signalled:
            turn.do(CancelChild(run.child, turn.state.cancel_reason or "cancelled"))
            _grace(turn, run)
    else:
        stop(turn, run)


def _grace(turn: Turn, run: Run) -> None:
    due = turn.now + turn.rules.cancel_grace
    turn.stop_timers(run)
    turn.emit(CancelSignalled(run.id, due))
    turn.start_timer(run, TimerKind.GRACE, due)


def close(turn: Turn, run: Run, outcome: Outcome, failure: Failure | None = None) -> None:
    """Have the run end with ``outcome`` once everything below it has ended, and stop that."""
    if run.body is None or not turn.live(run) or not _overrides(run.body, outcome):
        return
    body = run.body
    # What cleans up is not stopped, and what is stopped already is not told again.
    told = body.phase is Phase.DRAINING or (body.phase is Phase.FINALLY and outcome is Outcome.CANCELLED)
    turn.emit(RunClosing(run.id, outcome, failure))
    if not told:
        for child in reversed(body.children.values()):
            turn.first(Step.CANCEL, child)
    if body.open == 0:
        turn.then(Step.SETTLE, run)


def _overrides(body: Body, outcome: Outcome) -> bool:
    """Whether that outcome goes before the one that is on its way."""
    if body.phase is Phase.DRAINING:
        if outcome is Outcome.CANCELLED:
            return body.outcome is not Outcome.CANCELLED
        return body.outcome is Outcome.LEFT
    if body.phase is Phase.FINALLY and outcome is Outcome.CANCELLED:
        return body.outcome not in (Outcome.CANCELLED, Outcome.FAILED)
    return True


def settle(turn: Turn, run: Run) -> None:
    """Nothing is open below the run: what comes next?"""
    if run.status is not _E.WAIT_FOR_SUB_TASKS:
        return
    body, task = run.below, run.task
    if body.open or (body.jumps and run.id not in body.jumps):
        return
    if body.phase is Phase.BODY and not _body_done(turn, run):
        return
    outcome = body.outcome
    if outcome is Outcome.FAILED and task.catch is not None and not (body.caught or body.finalized):
        assert body.failure is not None
        open_run(turn, run, turn.plan.tasks[task.catch], variables=error_variables(turn, body.failure))
    elif task.finally_ is not None and not body.finalized:
        open_run(turn, run, turn.plan.tasks[task.finally_])
    elif outcome is Outcome.FAILED:
        assert body.failure is not None
        fail(turn, run, body.failure)
    elif outcome is Outcome.CANCELLED:
        stop(turn, run)
    elif outcome is Outcome.LEFT:
        end(turn, run, RunCompleted(run.id, _output(run)))
    elif run.parent is None and turn.state.pausing:
        return  # resuming settles it: a process that was to pause does so before it completes
    else:
        complete(turn, run, _output(run))


def _body_done(turn: Turn, run: Run) -> bool:
    """Whether the body has come to its end; a failure that was kept until now is brought up."""
    failure: Failure | None = None
    body = run.below
    if isinstance(body, FanBody):
        if body.succeeded + body.failed < len(body.items):
            return False
        fan_out = run.task.fan_out
        assert fan_out is not None
        if body.failed and not (fan_out.join.mode is AwaitMode.FIRST and body.first is not None):
            failure = body.failure
    else:
        for child in body.kept.values():
            if child.group and child.status is _E.FAILED and child.fan.joined is None:
                failure = child.failure
                break
    if failure is not None:
        turn.emit(RunClosing(run.id, Outcome.FAILED, failure))
    return True


def _output(run: Run) -> Any:
    if isinstance(run.body, FanBody):
        fan_out = run.task.fan_out
        assert fan_out is not None
        return joined_output(fan_out.join, run.body)
    return dict(run.below.results)
