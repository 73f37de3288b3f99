"""What a restart after a failure or a cancellation does to a state: what did not succeed is pending again."""

from __future__ import annotations

from attrs import evolve

from fluxor_actors.process import events as happened
from fluxor_actors.process.asking import Answer
from fluxor_actors.process.delegation import Delegation
from fluxor_actors.process.events import Outcome
from fluxor_actors.process.evolve_ending import abandon_group, drop_below
from fluxor_actors.process.plan import Flow
from fluxor_actors.process.run import Body, FanBody, Phase, Run, Stage
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState, ProcessState

__all__: list[str] = []

_E = ExecutionState
_REOPENED = (_E.FAILED, _E.CANCELLED)


def restarted(state: State, event: happened.ProcessRestarted) -> None:
    state.enter(ProcessState.RUNNING)
    state.errors.clear()
    state.cancel_reason = None
    state.finished_at = None
    state.deadline = None
    state.jumps = 0
    state.restarted = True
    for run in tuple(state.runs.values()):
        # A task comes before those below it, and may have removed some of them.
        if run.status in _REOPENED and run.id in state.runs:
            _reopen(state, run)


def _reopen(state: State, run: Run) -> None:
    task = run.task
    if not task.composite and not run.group:
        state.tally.count(run.status, -1)
    _refresh(state, run)
    if task.tracked and not run.group:
        run.frame.live[task.number] = run.id
        run.frame.done.pop(task.number, None)
    if run.parent is not None:
        _rejoin_parent(state, run, run.parent)
    if run.delegated is not None and not run.has_output and _collects_again(state, run.delegated):
        state.move(run, _E.WAIT_ASYNC)
        return
    if run.body is None or run.has_output or not run.entered:
        # What is below it has succeeded, or was made good: only what follows it is missing.
        drop_below(state, run)
        if not run.entered and not run.has_output:
            run.stage = Stage.PLACE if run.admitted else Stage.NEW
        state.move(run, _E.PENDING)
        return
    state.move(run, _E.WAIT_FOR_SUB_TASKS)
    _reopen_body(state, run, run.body)


def _collects_again(state: State, delegated: Delegation) -> bool:
    """Whether the action had returned, and the task has waited for what it emitted. Those of it that did not complete go on."""
    groups = [state.runs.get(group_id) for group_id in delegated.collecting]
    if not groups or None in groups:
        return False
    delegated.missing = sum(group is not None and group.status is not _E.COMPLETED for group in groups)
    return True


def _refresh(state: State, run: Run) -> None:
    if run.task.flow is Flow.JOIN and run.child is not None and run.child in state.runs:
        state.runs[run.child].fan.joined = None
    run.tries = 0
    run.failure = None
    run.signalled = False
    run.child = None
    run.owns_child = False
    run.ignore_error = False
    run.stepped = True
    if run.approval is not None and run.approval.answer is not Answer.GRANTED:
        # It is asked anew: before the first attempt in the ordinary way, and before another one here.
        run.approval = evolve(run.approval, answer=Answer.WITHDRAWN) if run.scheduled else None


def _rejoin_parent(state: State, run: Run, parent: Run) -> None:
    body = parent.below
    body.kept.pop(run.id, None)
    body.children[run.id] = run
    body.open += 1
    if run.admitted:
        body.places += 1
    fan_out = parent.task.fan_out
    if fan_out is not None and fan_out.limit is not None:
        run.admitted = False
        body.places = 0
        if body.open - len(body.queue) > fan_out.limit:
            body.queue.append(run.id)
            state.queued += 1


def _reopen_body(state: State, run: Run, body: Body) -> None:
    before = body.before
    cleaned = body.finalized and not any(child.task.number == run.task.finally_ for child in body.kept.values())
    _forget_roles(state, run, body)
    if before is not None:
        _forget_abandoned(state, run, body)
        cleaned = cleaned and not body.kept
        body.foreign.clear()
        body.jumps = {left: jump for left, jump in body.interrupted.items() if left == run.id}
    else:
        body.jumps = body.interrupted
        _await_foreign(run, body)
        _forget_stopped(state, body)
    body.interrupted = {}
    body.phase = Phase.BODY if before is None else Phase.DRAINING
    body.outcome = before
    body.before = None
    body.failure = None
    body.caught = False
    body.finalized = cleaned and before is not None
    if isinstance(body, FanBody):
        body.failed = 0


def _forget_roles(state: State, run: Run, body: Body) -> None:
    """What was to clean up, or to make good, has to be asked for anew."""
    for child in tuple(body.kept.values()):
        if child.task.number in (run.task.catch, run.task.finally_):
            del body.kept[child.id]
            _forget(state, child)


def _forget_abandoned(state: State, run: Run, body: Body) -> None:
    """The body was done or left: of what is below it only that goes on which was being left, and has not come to its end."""
    leaving = {
        child.id: child for child in body.kept.values() if child.body is not None and child.body.before is Outcome.LEFT
    }
    for run_id in leaving:
        del body.kept[run_id]
    drop_below(state, run)
    body.kept.update(leaving)


def _await_foreign(run: Run, body: Body) -> None:
    body.open += len(body.foreign)
    for number in body.foreign:
        run.frame.of(run.task).waiters.setdefault(number, []).append(run.id)


def _forget_stopped(state: State, body: Body) -> None:
    """Of the children for whose end a jump has waited, only those go on that were being left and have not come to their end."""
    for run_id in body.jumps:
        child = body.kept.get(run_id)
        if child is not None and (child.body is None or child.body.before is None):
            del body.kept[run_id]
            drop_below(state, child)
            state.runs.pop(run_id, None)
            _forget_groups(state, child)


def _forget_groups(state: State, run: Run) -> None:
    if run.delegated is not None:
        for group_id in run.delegated.groups.values():
            abandon_group(state, group_id)


def _forget(state: State, run: Run) -> None:
    """Forget a run that will be opened anew, and is not to be counted twice."""
    below = [run]
    while below:
        gone = below.pop()
        state.runs.pop(gone.id, None)
        if not gone.task.composite and not gone.group:
            state.tally.count(gone.status, -1)
            state.tally.total -= 1
        if gone.task.tracked and gone.frame.done.get(gone.task.number) is gone.status:
            del gone.frame.done[gone.task.number]
        _forget_groups(state, gone)
        if gone.body is not None:
            below.extend(gone.body.kept.values())
