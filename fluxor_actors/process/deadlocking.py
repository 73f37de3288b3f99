"""When nothing of a process can ever move again: one of those who wait fails, with the names of all of them."""

from __future__ import annotations

from attrs import frozen

from fluxor_actors.errors import DeadlockError
from fluxor_actors.process.events import Outcome
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.opening import unmet
from fluxor_actors.process.relieving import relieve
from fluxor_actors.process.run import FanBody, Phase, Run
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Step, Turn

__all__ = ["stir", "woken_from_outside"]

_E = ExecutionState


def stir(turn: Turn) -> bool:
    """Have something happen when nothing is under way and nothing will come from outside. Returns whether there was a need.

    Called when the agenda is empty. Mostly it looks at one run: the one that was found to be woken from outside the last time.
    """
    state = turn.state
    if state.pausing or state.status.final or state.root is None:
        return False
    if state.queued and relieve(turn):
        return True
    if state.signal_waiters or _stirred(state):
        return False
    return _break(turn, state.root)


def _stirred(state: State) -> bool:
    """Whether something from outside can wake a run. The one that is found is looked at first the next time."""
    known = state.astir
    if known is not None and state.runs.get(known.id) is known and woken_from_outside(known):
        return True
    # What was opened last is the likeliest to wait for something itself, and not for others.
    state.astir = next((run for run in reversed(state.runs.values()) if woken_from_outside(run)), None)
    return state.astir is not None


def woken_from_outside(run: Run) -> bool:
    """Whether a timer, a process, a signal, a person or its own next turn will move the run."""
    status = run.status
    if status.final:
        return False
    if run.timers or status is _E.WAIT_FOR_APPROVAL or status is _E.SCHEDULED or status is _E.RUNNING:
        return True
    if status is _E.WAIT_ASYNC:
        # A group's items are runs of their own.
        return not run.awaits_groups and (run.task.join is None or run.task.join.on is None)
    body = run.body
    if isinstance(body, FanBody) and body.phase is Phase.BODY and body.cursor < len(body.items):
        fan_out = run.task.fan_out
        # It has yielded its turn, and goes on.
        return fan_out is None or fan_out.limit is None or body.open - len(body.queue) < fan_out.limit
    return False


@frozen
class _Link:
    """That one run waits for another, or for a task that nobody will ever start, and how to say so."""

    run: Run
    next: Run | None
    what: str


def _break(turn: Turn, root: Run) -> bool:
    """Fail one run of the circle."""
    trail: dict[str, _Link] = {}
    run: Run | None = root
    while run is not None and run.id not in trail:
        trail[run.id] = _link(turn, run)
        run = trail[run.id].next
    links = list(trail.values())
    if run is not None:
        while links[0].run is not run:
            del links[0]
    text = "; ".join(link.what for link in links if link.what) or f"{root.task.id} waits for nothing that is there"
    victim = next((link.run for link in reversed(links) if _waits_itself(link.run)), root)
    failure = Failure.of(DeadlockError(f"none can ever go on: {text}"), task=victim.task.id, retryable=False)
    if victim.body is None:
        turn.then(Step.FAIL, victim, failure)
    else:
        turn.then(Step.CLOSE, victim, Outcome.FAILED, failure)
    return True


def _waits_itself(run: Run) -> bool:
    """Whether it waits for something else than what is below it."""
    if run.body is None:
        return run.status in (_E.WAIT_FOR_DEPENDENCIES, _E.WAIT_ASYNC)
    return bool(run.body.foreign)


def _link(turn: Turn, run: Run) -> _Link:
    name, state = run.task.id, turn.state
    if run.status is _E.WAIT_FOR_DEPENDENCIES:
        missing, _ = unmet(turn, run)
        for number in missing:
            task = turn.plan.tasks[number]
            live = run.frame.of(task).live.get(number)
            if live is not None:
                return _Link(run, state.runs[live], f"{name} depends on {task.id}")
        names = ", ".join(turn.plan.tasks[number].id for number in missing)
        return _Link(run, None, f"{name} depends on {names}, which nothing will start")
    if run.status is _E.WAIT_ASYNC and run.child is not None:
        group = state.runs.get(run.child)
        emitter = "a group" if group is None else f"the group of {group.task.id}"
        return _Link(run, group, f"{name} awaits {emitter}")
    if run.awaits_groups and run.delegated is not None:
        emitted = (state.runs.get(group_id) for group_id in run.delegated.groups.values())
        still = next((each for each in emitted if each is not None and not each.status.final), None)
        return _Link(run, still, f"{name} awaits what it has emitted")
    if run.parent is not None and run.parent.body is not None and run.id in run.parent.body.queue:
        holder = next((each for each in run.parent.body.children.values() if each.admitted), None)
        return _Link(run, holder, f"{name} waits for a place in {run.parent.task.id}")
    if run.body is None:
        return _Link(run, None, f"{name} is {run.status}")
    below = next((each for each in reversed(run.body.children.values()) if not each.status.final), None)
    if below is not None:
        return _Link(run, below, f"{name} waits for {below.task.id} below it")
    for number, run_id in run.body.foreign.items():
        if run_id in state.runs:
            return _Link(run, state.runs[run_id], f"{name} waits for {turn.plan.tasks[number].id}")
    return _Link(run, None, "")
