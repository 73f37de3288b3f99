"""The end of a run: what it writes, and who has to hear of it."""

from __future__ import annotations

from typing import Any

from fluxor_actors.errors import FluxorError
from fluxor_actors.process.departing import part_from_groups
from fluxor_actors.process.effects import ProcessEnded
from fluxor_actors.process.events import (
    Event,
    PauseRequested,
    ProcessCancelled,
    ProcessCompleted,
    ProcessFailed,
    RunCancelled,
    RunCompleted,
    RunFailed,
)
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.leaving import may_jump
from fluxor_actors.process.requests import withdraw
from fluxor_actors.process.run import Run
from fluxor_actors.process.scope import Scope
from fluxor_actors.process.settings import evaluate_post
from fluxor_actors.process.states import ExecutionState, ProcessState
from fluxor_actors.process.turn import Note, Step, Turn

__all__ = ["complete", "end", "fail", "stop"]


def end(turn: Turn, run: Run, event: Event, goto: int | None = None) -> None:
    """Record the end of a run, and let its dependents, its parent or the process go on."""
    task = run.task
    parent = run.parent
    waiters = run.frame.waiters.get(task.number) if task.watched and not run.group else None
    restart = parent is None and run.body is not None and run.id in run.body.jumps
    if run.timers:
        turn.stop_timers(run)
    if run.approval is not None:
        withdraw(turn, run)
    turn.emit(event)
    if run.delegated is not None:
        part_from_groups(turn, run)
    if waiters:
        turn.then(Step.DEPENDENCY_ENDED, task.number, run.status, tuple(waiters))
    if goto is not None:
        turn.first(Step.JUMP, run, goto)
    elif parent is not None:
        turn.agenda.append((Step.CHILD_ENDED, parent, run))
    elif restart and run.status is ExecutionState.COMPLETED:
        turn.then(Step.RESTART, run)
    else:
        _end_process(turn, run)


def _end_process(turn: Turn, root: Run) -> None:
    failure = root.failure
    if turn.state.status is ProcessState.CANCEL_REQUESTED:
        turn.emit(ProcessCancelled(failure))
    elif root.status is ExecutionState.COMPLETED:
        turn.emit(ProcessCompleted())
    else:
        failure = failure or Failure("ActionCancelledError", "cancelled", ("ActionCancelledError",), root.task.id)
        turn.emit(ProcessFailed(failure))
    turn.do(ProcessEnded(failure))


def complete(turn: Turn, run: Run, output: Any, started: float | None = None) -> None:
    """The run has done what it had to: ``post``, ``goto`` and ``autoPause`` follow."""
    if not turn.live(run):
        return
    task = run.task
    if run.group:
        end(turn, run, RunCompleted(run.id, None))
        return
    if not task.post and not task.goto:
        event = RunCompleted(run.id, output, started=started)
        goto = None
    else:
        try:
            event = _aftermath(turn, run, output, started)
        except FluxorError as error:
            failure = Failure.of(error, task=task.id, retryable=False)
            end(turn, run, RunFailed(run.id, failure, output, has_output=True, started=started))
            return
        goto = event.goto
    end(turn, run, event, goto)
    if task.auto_pause and task.number and turn.state.status is ProcessState.RUNNING:
        turn.emit(PauseRequested(task.number))


def _aftermath(turn: Turn, run: Run, output: Any, started: float | None) -> RunCompleted:
    """Evaluate ``post`` and ``goto`` before anything is recorded, so that a failure leaves nothing half done."""
    task = run.task
    own = {task.namespace: output} if task.number else {}
    overlay = own | {str(name): value for name, value in output.items()} if isinstance(output, dict) else own
    scope = run.scope
    writes, after = evaluate_post(turn.state, task.post, scope, overlay, turn.now)
    goto = None
    if task.goto:
        seen = Scope(own, scope)
        seen.update(after.own())
        for jump in task.goto:
            holds = True if jump.when is None else jump.when.holds(seen, turn.now)
            if jump.when is not None:
                turn.notes.append(Note(run.id, task.number, jump.when.source, holds))
            if holds:
                goto = jump.target if may_jump(turn, run, jump.target) else None
                break
    return RunCompleted(run.id, output, writes, goto, started)


def fail(turn: Turn, run: Run, failure: Failure, started: float | None = None) -> None:
    """The run cannot do what it had to."""
    if turn.live(run):
        end(turn, run, RunFailed(run.id, failure.at(run.task.id), started=started))


def stop(turn: Turn, run: Run) -> None:
    """The run ends as cancelled."""
    if turn.live(run):
        end(turn, run, RunCancelled(run.id))
