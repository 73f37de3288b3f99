"""What events do to a state when a task is stopped, or control moves."""

from __future__ import annotations

from fluxor_actors.process import events as happened
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.events import Outcome
from fluxor_actors.process.evolve_ending import drop_below
from fluxor_actors.process.plan import Flow
from fluxor_actors.process.run import Body, Departure, Phase, Run
from fluxor_actors.process.state import State

__all__: list[str] = []


def items_closed(state: State, event: happened.ItemsClosed) -> None:
    body = state.runs[event.run].below
    body.phase = Phase.DRAINING
    body.outcome = Outcome.COMPLETED
    clear_queue(state, body)


def closing(state: State, event: happened.RunClosing) -> None:
    body = state.runs[event.run].below
    if body.phase is Phase.BODY:
        # What runs elsewhere is not waited for any more.
        body.open -= len(body.foreign)
    if body.before is None:
        body.before = _settled(body)
    if body.jumps:
        body.interrupted, body.jumps = body.jumps, {}
    body.outcome = event.outcome
    if body.phase is Phase.FINALLY and event.outcome is Outcome.CANCELLED:
        return
    body.phase = Phase.DRAINING
    body.failure = event.failure
    clear_queue(state, body)


def _settled(body: Body) -> Outcome | None:
    """The outcome that is being overridden, if the body had come to it."""
    if body.phase is Phase.FINALLY and body.outcome is None:
        return Outcome.COMPLETED
    return body.outcome if body.outcome in (Outcome.LEFT, Outcome.COMPLETED) else None


def clear_queue(state: State, body: Body) -> None:
    """Nobody gets a place any more."""
    if body.queue:
        state.queued -= len(body.queue)
        body.queue.clear()


def jump_requested(state: State, event: happened.JumpRequested) -> None:
    run = state.runs[event.run]
    departure = Departure(event.target, event.leaving)
    if run.task.flow is Flow.FAN_OUT:
        item = state.runs[event.leaving[0]]
        departure = Departure(event.target, event.leaving, item.index, item.iteration)
    run.below.jumps.update(dict.fromkeys(event.leaving, departure))


def jumped(state: State, event: happened.Jumped) -> None:
    run = state.runs[event.run]
    body = run.below
    for left in event.left:
        body.jumps.pop(left, None)
    state.jumps += 1
    if run.task.flow is not Flow.SEQUENCE:
        return
    if body.foreign:
        _abandon_foreign(body)
    body.phase = Phase.BODY
    body.outcome = None
    if event.target != run.task.catch:
        body.failure = None
    body.blocking = None
    body.caught = False
    body.cursor = state.plan.child_towards(run.task, event.target).position
    _forgive(state, run)


def _abandon_foreign(body: Body) -> None:
    """Control moves away from what the sequence has waited for; what runs beside it is waited for as before."""
    if body.phase is Phase.CATCH:
        body.foreign.clear()
        return
    for number, run_id in tuple(body.foreign.items()):
        if run_id == body.blocking:
            del body.foreign[number]
            body.open -= 1


def _forgive(state: State, run: Run) -> None:
    """What failed or was stopped before the jump is not taken up again. Groups stay: nobody has seen how they ended."""
    kept = run.below.kept
    if not kept:
        return
    groups = {child.id: child for child in kept.values() if child.group}
    for group_id in groups:
        del kept[group_id]
    drop_below(state, run)
    kept.update(groups)


def timeout_lapsed(state: State, event: happened.TimeoutLapsed) -> None:
    state.runs[event.run].timers.pop(TimerKind.TIMEOUT, None)
