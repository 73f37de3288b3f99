"""Going on with what a restart has made pending again, or what has got its place."""

from __future__ import annotations

from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.delegating import collect_again
from fluxor_actors.process.events import RunRevived
from fluxor_actors.process.following import adopted_ended
from fluxor_actors.process.jumping import enter_target
from fluxor_actors.process.opening import due_of
from fluxor_actors.process.run import Phase, Run
from fluxor_actors.process.running import advance
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Step, Turn

__all__ = ["revive"]


def revive(turn: Turn, run: Run) -> None:
    """Begin with a run, or go on with what is below it, but for those who have to wait for a place."""
    if not turn.live(run):
        return
    if run.status is not ExecutionState.WAIT_FOR_SUB_TASKS:
        if run.delegated is not None and run.delegated.collecting:
            _collect(turn, run)
        turn.then(Step.BEGIN, run)
        return
    body = run.below
    due = None if run.group or TimerKind.TIMEOUT in run.timers else due_of(turn, run.task)
    if due is not None:
        turn.emit(RunRevived(run.id, due))
        turn.start_timer(run, TimerKind.TIMEOUT, due)
    waiting = set(body.queue)
    for child in body.children.values():
        if child.id not in waiting:
            turn.then(Step.REVIVE, child)
    _go_on(turn, run)


def _collect(turn: Turn, run: Run) -> None:
    """The task's ``await`` waits for what its action has emitted, which goes on."""
    timeout = None if run.task.join is None else run.task.join.timeout
    if timeout is not None:
        due = turn.now + timeout
        turn.emit(RunRevived(run.id, due))
        turn.start_timer(run, TimerKind.TIMEOUT, due)
    collect_again(turn, run)


def _go_on(turn: Turn, run: Run) -> None:
    body = run.below
    if body.phase is Phase.BODY:
        for number in tuple(body.foreign):
            frame = run.frame.of(turn.plan.tasks[number])
            if number not in frame.live:
                adopted_ended(turn, run, number, frame.done.get(number, ExecutionState.CANCELLED))
        for departure in dict.fromkeys(body.jumps.values()):
            if not any(left in body.children for left in departure.leaving):
                enter_target(turn, run, departure)
    advance(turn, run)
