"""From a run's opening until it is entered: dependencies, a place, a delay, the condition, ``init``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fluxor_actors.errors import DependencyFailedError, FluxorError
from fluxor_actors.process.approving import gate, go_on, guarded
from fluxor_actors.process.attempting import schedule
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.ending import end
from fluxor_actors.process.events import (
    PauseRequested,
    RunAdmitted,
    RunDelayed,
    RunEntered,
    RunHeld,
    RunOpened,
    RunQueued,
    RunReleased,
    RunSkipped,
    RunWaiting,
)
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.joining import await_group, await_signal, emit_detached
from fluxor_actors.process.plan import Flow, Role, TaskPlan
from fluxor_actors.process.run import Run, Stage
from fluxor_actors.process.settings import evaluate_init
from fluxor_actors.process.states import ExecutionState, ProcessState
from fluxor_actors.process.turn import Note, Step, Turn

__all__ = ["admit", "begin", "delay_over", "due_of", "error_variables", "fail_dependent", "open_run", "unmet"]

_GOOD = (ExecutionState.COMPLETED, ExecutionState.SKIPPED)


def open_run(
    turn: Turn,
    parent: Run | None,
    task: TaskPlan,
    *,
    variables: Mapping[str, Any] | None = None,
    demanded: bool = False,
    target: int | None = None,
    iteration: int = 1,
) -> Run:
    """Open a run of a task that is not an item, and have it begun."""
    if parent is None:
        run_id = task.id
    else:
        run_id = _child_id(parent, task)
        if task.repeatable:
            iteration = parent.below.counts.get(task.number, 0) + 1
    if iteration > 1:
        run_id = f"{run_id}#{iteration}"
    parent_id = None if parent is None else parent.id
    turn.emit(RunOpened(run_id, task.number, parent_id, iteration, None, variables, demanded, target))
    run = turn.state.runs[run_id]
    turn.agenda.append((Step.BEGIN, run))
    return run


def error_variables(turn: Turn, failure: Failure) -> dict[str, Any]:
    """What a ``catch`` sees of the failure."""
    return {
        "_lastError": failure.message,
        "_lastErrorTask": failure.task,
        "_lastErrorProcess": turn.state.id,
        "error": failure.as_mapping(),
    }


def begin(turn: Turn, run: Run) -> None:
    """Take a pending run as far as it goes."""
    if run.status is not ExecutionState.PENDING:
        return
    state, task = turn.state, run.task
    if state.pausing:
        turn.emit(RunHeld(run.id))
    elif run.has_output:
        # Its action has run; what came after it failed, and the process was resumed.
        turn.then(Step.COMPLETE, run, run.output)
    elif run.approval is not None:
        go_on(turn, run)
    elif run.scheduled:
        schedule(turn, run)
    elif run.target is not None or (
        (not task.depends_on or _dependencies(turn, run))
        and (task.schedule_in is None or _delay(turn, run, task.schedule_in))
        and _place(turn, run)
    ):
        _condition(turn, run, task)


def _dependencies(turn: Turn, run: Run) -> bool:
    if run.stage >= Stage.DEPENDENCIES:
        return True
    open_, failed = unmet(turn, run)
    if failed is not None:
        fail_dependent(turn, run, failed)
        return False
    if not open_:
        return True
    turn.emit(RunWaiting(run.id, open_))
    turn.then(Step.OPEN, run)
    return False


def unmet(turn: Turn, run: Run) -> tuple[tuple[int, ...], int | None]:
    """The dependencies that have not ended, and one that has failed."""
    missing: list[int] = []
    for number in run.task.depends_on:
        frame = run.frame.of(turn.plan.tasks[number])
        done = frame.done.get(number)
        if number in frame.live or done is None:
            missing.append(number)
        elif done not in _GOOD:
            return (), number
    return tuple(missing), None


def fail_dependent(turn: Turn, run: Run, failed: int) -> None:
    """Fail a run because a task that it depends on has failed."""
    task = turn.plan.tasks[failed]
    cause = _cause(run, task)
    why = "which did not complete" if cause is None else f"which failed: {cause.message}"
    error = DependencyFailedError(f"{run.task.id} depends on {task.id}, {why}")
    turn.then(Step.FAIL, run, Failure.of(error, task=run.task.id, retryable=False))


def _cause(run: Run, task: TaskPlan) -> Failure | None:
    """Why a dependency failed, where one of the tasks around ``run`` still has it."""
    around = run.parent
    while around is not None:
        if around.body is not None:
            kept = around.body.kept.get(_child_id(around, task))
            if kept is not None:
                return kept.failure
        around = around.parent
    return None


def _child_id(parent: Run, task: TaskPlan) -> str:
    return f"{parent.id}/{task.name}" if task.parent == parent.task.number else f"{parent.id}#~{task.id}"


def _place(turn: Turn, run: Run) -> bool:
    parent = run.parent
    if parent is None or run.admitted or run.demanded or run.task.role is not Role.ORDINARY:
        return True
    limit = parent.task.limit
    if limit is None or parent.task.flow is Flow.SEQUENCE:
        return True
    body = parent.below
    if body.places < limit and not body.queue:
        turn.emit(RunAdmitted(run.id))
        return True
    turn.emit(RunQueued(run.id))
    return False


def admit(turn: Turn, parent: Run) -> None:
    """Give free places to those who wait for one."""
    body, limit = parent.below, parent.task.limit
    while body.queue and limit is not None and body.places < limit:
        run = turn.state.runs[body.queue[0]]
        turn.emit(RunAdmitted(run.id))
        turn.then(Step.REVIVE, run)


def _delay(turn: Turn, run: Run, seconds: float) -> bool:
    if run.stage >= Stage.DELAY:
        return True
    if TimerKind.DELAY not in run.timers:
        due = turn.now + seconds
        turn.emit(RunDelayed(run.id, due))
        turn.start_timer(run, TimerKind.DELAY, due)
    return False


def delay_over(turn: Turn, run: Run) -> None:
    """The timer of ``scheduleIn`` is due."""
    turn.emit(RunReleased(run.id, Stage.DELAY))
    turn.then(Step.BEGIN, run)


def _condition(turn: Turn, run: Run, task: TaskPlan) -> None:
    state = turn.state
    try:
        if task.when is not None and run.target is None:
            holds = task.when.holds(run.scope, turn.now)
            turn.notes.append(Note(run.id, task.number, task.when.source, holds))
            if not holds:
                _skip(turn, run)
                return
        stepping = turn.plan.auto_pause and task.flow is Flow.ACTION and not run.stepped
        if stepping and state.status is ProcessState.RUNNING:
            turn.emit(PauseRequested(task.number))
            turn.emit(RunHeld(run.id))
            return
        variables = evaluate_init(turn.plan, state.environment, task.init, run.scope, turn.now) if task.init else None
    except FluxorError as error:
        turn.then(Step.FAIL, run, Failure.of(error, task=task.id, retryable=False))
        return
    _enter(turn, run, task, variables)


def _skip(turn: Turn, run: Run) -> None:
    end(turn, run, RunSkipped(run.id))


def due_of(turn: Turn, task: TaskPlan) -> float | None:
    """When a task with others below it, entered now, times out. Starting over gives the whole process no more time."""
    if not task.number and turn.state.deadline is not None:
        return turn.state.deadline
    timeout = task.timeout
    awaited = None if task.fan_out is None else task.fan_out.join.timeout
    if timeout is None or (awaited is not None and awaited < timeout):
        timeout = awaited
    return None if timeout is None else turn.now + timeout


def _enter(turn: Turn, run: Run, task: TaskPlan, variables: Mapping[str, Any] | None) -> None:
    flow = task.flow
    if task.composite:
        due = due_of(turn, task)
        turn.emit(RunEntered(run.id, variables, due))
        if due is not None:
            turn.start_timer(run, TimerKind.TIMEOUT, due)
        turn.then(Step.ADVANCE, run)
        return
    if variables is not None:
        turn.emit(RunEntered(run.id, variables))
    if flow is Flow.ACTION:
        if guarded(turn, task):
            gate(turn, run)
        else:
            schedule(turn, run)
    elif flow is Flow.FAN_OUT:
        emit_detached(turn, run)
    elif flow is Flow.JOIN:
        await_group(turn, run)
    elif flow is Flow.SIGNAL:
        await_signal(turn, run)
    else:
        turn.then(Step.COMPLETE, run, None)
