"""What events do to a state on a run's way from its opening until it is entered."""

from __future__ import annotations

from fluxor_actors.process import events as happened
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.plan import Flow, Role
from fluxor_actors.process.run import Body, Frame, Phase, Run, Stage
from fluxor_actors.process.scope import Scope
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState

__all__: list[str] = []

_E = ExecutionState


def opened(state: State, event: happened.RunOpened) -> None:
    task = state.plan.tasks[event.task]
    if event.parent is None:
        run = Run(event.run, task, None, state.session, _root_frame(state, event))
        state.root = run
    else:
        parent = state.runs[event.parent]
        run = Run(event.run, task, parent, parent.scope, parent.frame)
        if event.index is not None:
            _make_item(run, event, parent)
        elif event.variables is not None:
            run.scope = Scope(event.variables, parent.scope)
        _join_parent(run, event, parent)
    run.iteration = event.iteration
    run.index = event.index
    run.demanded = event.demanded
    run.target = event.target
    state.runs[run.id] = run
    if not task.composite:
        state.tally.total += 1
    if task.tracked:
        run.frame.live[task.number] = run.id
        if task.watched:
            if event.demanded:
                run.frame.prefetched.add(task.number)
            else:
                run.frame.prefetched.discard(task.number)


def _root_frame(state: State, event: happened.RunOpened) -> Frame:
    """The frame of the whole process: what has been done stays done when the root starts over."""
    frame = Frame(event.run, 0, None)
    if state.frame is not None:
        frame.done = state.frame.done
        state.jumps += 1
    state.frame = frame
    return frame


def _make_item(run: Run, event: happened.RunOpened, parent: Run) -> None:
    fan_out = parent.task.fan_out
    assert fan_out is not None
    assert event.index is not None
    item = parent.fan.items[event.index]
    names = dict(item) if fan_out.fixed is not None else {fan_out.name: item}
    if event.variables:
        names.update(event.variables)
    run.scope = Scope(names, parent.scope, outputs=True)
    if run.task.frame_needed:
        run.frame = Frame(run.id, run.task.number, parent.frame)


def _join_parent(run: Run, event: happened.RunOpened, parent: Run) -> None:
    body = parent.below
    body.children[run.id] = run
    body.open += 1
    task = run.task
    if task.repeatable:
        body.counts[task.number] = event.iteration
    if event.demanded:
        return
    # The first child of a run that a jump passes through is the one on its way.
    parent.target = None
    if event.index is not None:
        body.cursor = max(body.cursor, event.index + 1)
    elif task.role is Role.CATCH:
        body.phase = Phase.CATCH
        body.outcome = None
        body.caught = True
    elif task.role is Role.FINALLY:
        body.phase = Phase.FINALLY
        body.finalized = True
    elif task.parent == parent.task.number:
        if parent.task.flow is not Flow.SEQUENCE:
            # A branch that starts over leaves the others where they are.
            body.cursor = max(body.cursor, task.position + 1)
            return
        body.cursor = task.position + 1
        if not task.async_:
            body.blocking = run.id


def adopted(state: State, event: happened.RunAdopted) -> None:
    run = state.runs[event.run]
    task = state.plan.tasks[event.task]
    body = run.below
    run.frame.of(task).prefetched.discard(event.task)
    if event.child is not None:
        _adopt_live(state, event, run)
        return
    waited = body.foreign.pop(event.task, None)
    if waited is None:
        body.cursor = task.position + 1
    else:
        body.open -= 1
        if body.blocking == waited:
            body.blocking = None
    body.results[task.namespace] = dict.get(run.scope.output_scope(), task.namespace)


def _adopt_live(state: State, event: happened.RunAdopted, run: Run) -> None:
    task = state.plan.tasks[event.task]
    body = run.below
    assert event.child is not None
    body.cursor = task.position + 1
    child = state.runs[event.child]
    if child.parent is run:
        child.demanded = False
    else:
        body.foreign[event.task] = child.id
        body.open += 1
        run.frame.of(task).waiters.setdefault(task.number, []).append(run.id)
    if run.task.flow is Flow.SEQUENCE and not task.async_:
        body.blocking = child.id


def held(state: State, event: happened.RunHeld) -> None:
    run = state.runs[event.run]
    state.move(run, _E.PAUSED)
    run.stepped = True
    state.held[run.id] = None


def waiting(state: State, event: happened.RunWaiting) -> None:
    run = state.runs[event.run]
    state.move(run, _E.WAIT_FOR_DEPENDENCIES)
    run.missing = len(event.tasks)
    for number in event.tasks:
        run.frame.of(state.plan.tasks[number]).waiters.setdefault(number, []).append(run.id)


def released(state: State, event: happened.RunReleased) -> None:
    run = state.runs[event.run]
    if run.status is not _E.PENDING:
        state.move(run, _E.PENDING)
    state.held.pop(run.id, None)
    run.timers.pop(TimerKind.DELAY, None)
    run.stage = event.stage


def queued(state: State, event: happened.RunQueued) -> None:
    run = state.runs[event.run]
    assert run.parent is not None
    run.parent.below.queue.append(run.id)
    state.queued += 1


def admitted(state: State, event: happened.RunAdmitted) -> None:
    run = state.runs[event.run]
    assert run.parent is not None
    body = run.parent.below
    body.places += 1
    if body.queue:
        if body.queue[0] == run.id:
            body.queue.popleft()
        else:
            body.queue.remove(run.id)
        state.queued -= 1
    run.admitted = True
    if run.parent.task.flow is not Flow.FAN_OUT:
        run.stage = Stage.PLACE


def delayed(state: State, event: happened.RunDelayed) -> None:
    state.runs[event.run].timers[TimerKind.DELAY] = event.due


def entered(state: State, event: happened.RunEntered) -> None:
    run = state.runs[event.run]
    run.entered = True
    if event.variables is not None:
        run.scope = Scope(event.variables, run.scope)
    if not run.task.composite:
        return
    run.body = Body()
    state.move(run, _E.WAIT_FOR_SUB_TASKS)
    if run.target is not None:
        run.body.cursor = state.plan.child_towards(run.task, run.target).position
    if event.due is not None:
        run.timers[TimerKind.TIMEOUT] = event.due
        if run.parent is None:
            state.deadline = event.due


def revived(state: State, event: happened.RunRevived) -> None:
    run = state.runs[event.run]
    run.timers[TimerKind.TIMEOUT] = event.due
    if run.parent is None:
        state.deadline = event.due
