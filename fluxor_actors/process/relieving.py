"""When everything that has a place under ``concurrency`` waits for what has none."""

from __future__ import annotations

from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.events import RunAdmitted
from fluxor_actors.process.run import FanBody, Run
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Step, Turn

__all__ = ["relieve"]

_E = ExecutionState
_WAKING = (TimerKind.DELAY, TimerKind.RETRY, TimerKind.GRACE)


def relieve(turn: Turn) -> bool:
    """Let one run in that waits for a place, if nothing else can ever happen by itself. Returns whether it did.

    Tasks in a bounded one may depend on each other at any depth, so that those with a place wait for those without.
    """
    state = turn.state
    if state.pausing or state.status.final:
        return False
    waiting: list[str] = []
    for run in state.runs.values():
        if run.status.final:
            continue
        if _can_wake(run):
            return False
        if run.body is not None and run.body.queue:
            waiting.extend(run.body.queue)
    if not waiting:
        return False
    # One for which another task waits is the likeliest to help.
    wanted = (run_id for run_id in waiting if state.runs[run_id].frame.waiters.get(state.runs[run_id].task.number))
    run = state.runs[next(wanted, waiting[0])]
    turn.emit(RunAdmitted(run.id))
    turn.then(Step.REVIVE, run)
    return True


def _can_wake(run: Run) -> bool:
    if run.status is _E.WAIT_FOR_APPROVAL:
        return True
    if run.status is _E.WAIT_ASYNC:
        # A group's items are runs of their own.
        return not run.awaits_groups and (run.task.join is None or run.task.join.on is None)
    if isinstance(run.body, FanBody) and run.body.cursor < len(run.body.items):
        fan_out = run.task.fan_out
        if fan_out is None or fan_out.limit is None or run.body.open - len(run.body.queue) < fan_out.limit:
            # It has yielded its turn, and goes on.
            return True
    return any(kind in run.timers for kind in _WAKING)
