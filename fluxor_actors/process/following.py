"""What the end of one run means for others: its parent, its dependents."""

from __future__ import annotations

from fluxor_actors.process.closing import close
from fluxor_actors.process.demanding import unmet
from fluxor_actors.process.events import Outcome, RunAdopted, RunReleased
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.jumping import enter_target
from fluxor_actors.process.opening import admit, fail_dependent
from fluxor_actors.process.plan import Flow
from fluxor_actors.process.run import Phase, Run, Stage
from fluxor_actors.process.running import advance, item_ended
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Step, Turn

__all__ = ["child_ended", "dependency_ended"]

_E = ExecutionState
_GOOD = (_E.COMPLETED, _E.SKIPPED)


def child_ended(turn: Turn, parent: Run, run: Run, waited_for: bool) -> None:
    """A child has ended: the parent goes on, or comes to its end."""
    if not turn.live(parent) or parent.body is None:
        return
    body = parent.body
    if body.queue:
        admit(turn, parent)
    failed = run.status is _E.FAILED
    if run.group:
        _group_ended(turn, run)
    elif failed and run.demanded and waited_for:
        # Those who depend on it fail with it; what is around it need not.
        failed = False
    elif body.jump is not None and body.jump[1] == run.id:
        if failed:
            close(turn, parent, Outcome.FAILED, run.failure)
        else:
            enter_target(turn, parent, body.jump[0], run)
        return
    elif body.phase is Phase.BODY and parent.task.flow is Flow.FAN_OUT:
        item_ended(turn, parent, run)
        return
    if failed and not run.group and body.phase is not Phase.DRAINING:
        close(turn, parent, Outcome.FAILED, run.failure)
    elif body.phase is Phase.BODY:
        advance(turn, parent)
    if body.phase is not Phase.BODY and body.open == 0:
        turn.then(Step.SETTLE, parent)


def _group_ended(turn: Turn, group: Run) -> None:
    fan_out = group.task.fan_out
    assert fan_out is not None
    joined = group.fan.joined
    if joined is not None:
        if joined in turn.state.runs:
            turn.then(Step.CHECK_JOIN, turn.state.runs[joined], group)
    elif group.status is _E.FAILED and not fan_out.awaited and turn.state.root is not None:
        turn.then(Step.CLOSE, turn.state.root, Outcome.FAILED, group.failure)


def dependency_ended(turn: Turn, number: int, status: ExecutionState, waiters: tuple[str, ...]) -> None:
    """A task that others wait for has ended."""
    for run_id in waiters:
        run = turn.state.runs.get(run_id)
        if run is None:
            continue
        if run.status is _E.WAIT_FOR_DEPENDENCIES:
            _dependent(turn, run, number, status)
        elif run.status is _E.WAIT_FOR_SUB_TASKS:
            _adopter(turn, run, number, status)


def _dependent(turn: Turn, run: Run, number: int, status: ExecutionState) -> None:
    if status not in _GOOD:
        fail_dependent(turn, run, number)
        return
    missing, failed = unmet(turn, run)
    if failed is not None:
        fail_dependent(turn, run, failed)
    elif not missing:
        turn.emit(RunReleased(run.id, Stage.DEPENDENCIES))
        turn.then(Step.BEGIN, run)


def _adopter(turn: Turn, run: Run, number: int, status: ExecutionState) -> None:
    """A sequence that has come to a task which was under way elsewhere."""
    task = turn.plan.tasks[number]
    turn.emit(RunAdopted(run.id, number, None))
    if status in _GOOD:
        turn.then(Step.ADVANCE, run)
    else:
        failure = Failure(
            "DependencyFailedError", f"{task.id} has failed", ("DependencyFailedError",), task.id, 0, False
        )
        turn.then(Step.CLOSE, run, Outcome.FAILED, failure)
