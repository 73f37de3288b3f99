"""What the end of one run means for others: its parent, its dependents."""

from __future__ import annotations

from attrs import evolve

from fluxor_actors.process.closing import close
from fluxor_actors.process.events import Outcome, RunAdopted, RunReleased
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.jumping import enter_target
from fluxor_actors.process.opening import admit, fail_dependent
from fluxor_actors.process.plan import Role
from fluxor_actors.process.run import FanBody, Phase, Run, Stage
from fluxor_actors.process.running import advance, dependency_failure, item_ended
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Step, Turn

__all__ = ["adopted_ended", "child_ended", "dependency_ended"]

_E = ExecutionState
_GOOD = (_E.COMPLETED, _E.SKIPPED)


def child_ended(turn: Turn, parent: Run, run: Run) -> None:
    """A child has ended: the parent goes on, or comes to its end."""
    if not turn.live(parent) or parent.body is None:
        return
    body = parent.body
    if run.group:
        _group_ended(turn, run)
    elif run.status is _E.FAILED and not run.demanded and not _is_item(parent, run):
        # Those who depend on a task that runs on demand fail with it; what is around it need not.
        close(turn, parent, Outcome.FAILED, _with_cause(parent, run))
    elif run.status is _E.SKIPPED and run.task.role is Role.CATCH and body.failure is not None:
        # A ``catch`` whose ``when`` does not hold has caught nothing.
        close(turn, parent, Outcome.FAILED, body.failure)
    departure = body.jumps.get(run.id) if body.jumps else None
    if departure is not None and not any(left in body.children for left in departure.leaving):
        enter_target(turn, parent, departure)
    if body.phase is Phase.BODY:
        if body.queue and parent.task.fan_out is None:
            admit(turn, parent)
        if run.task.role is Role.BODY and not run.group:
            item_ended(turn, parent, run)
        else:
            advance(turn, parent)
    elif body.open == 0:
        turn.then(Step.SETTLE, parent)


def _with_cause(parent: Run, run: Run) -> Failure | None:
    """The failure of a child. That of a ``finally`` tells also what it was cleaning up after, which would be lost otherwise."""
    cause, failure = parent.below.failure, run.failure
    if run.task.role is not Role.FINALLY or cause is None or failure is None:
        return failure
    return evolve(failure, message=f"{failure.message} (while cleaning up after {cause.task}: {cause.message})")


def _is_item(parent: Run, run: Run) -> bool:
    """Whether what has ended is an item of a fan-out, which knows what to make of its failure."""
    body = parent.below
    return parent.task.fan_out is not None and body.phase is Phase.BODY and run.id not in body.jumps


def _group_ended(turn: Turn, group: Run) -> None:
    fan_out = group.task.fan_out
    assert fan_out is not None
    joined = group.fan.joined if isinstance(group.body, FanBody) else None
    if joined is not None:
        if joined in turn.state.runs:
            turn.then(Step.CHECK_JOIN, turn.state.runs[joined], group)
    elif group.status is _E.FAILED and not fan_out.awaited and turn.state.root is not None and not _asked_for(group):
        turn.then(Step.CLOSE, turn.state.root, Outcome.FAILED, group.failure)


def _asked_for(group: Run) -> bool:
    """Whether the action that has emitted the group is still to end, and may await it."""
    return isinstance(group.body, FanBody) and group.body.emitter is not None


def dependency_ended(turn: Turn, number: int, status: ExecutionState, waiters: tuple[str, ...]) -> None:
    """A task that others wait for has ended."""
    for run_id in waiters:
        run = turn.state.runs.get(run_id)
        if run is None:
            continue
        if run.status is _E.WAIT_FOR_DEPENDENCIES:
            _dependent(turn, run, number, status)
        elif run.status is _E.WAIT_FOR_SUB_TASKS:
            adopted_ended(turn, run, number, status)


def _dependent(turn: Turn, run: Run, number: int, status: ExecutionState) -> None:
    if status not in _GOOD:
        fail_dependent(turn, run, number)
    elif run.missing == 0:
        turn.emit(RunReleased(run.id, Stage.DEPENDENCIES))
        turn.then(Step.BEGIN, run)


def adopted_ended(turn: Turn, run: Run, number: int, status: ExecutionState) -> None:
    """A task that runs elsewhere, on demand, has ended, and that run has come to it."""
    body = run.below
    if body.phase is not Phase.BODY or number not in body.foreign:
        return
    if status in _GOOD:
        turn.emit(RunAdopted(run.id, number, None))
        turn.then(Step.ADVANCE, run)
    else:
        turn.then(Step.CLOSE, run, Outcome.FAILED, dependency_failure(turn.plan.tasks[number]))
