"""What events between an action and the work that it has given to others do to a state."""

from __future__ import annotations

from fluxor_actors.process import events as happened
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.delegation import Delegation
from fluxor_actors.process.evolve_ending import abandon_group
from fluxor_actors.process.fragments import extend
from fluxor_actors.process.run import FanBody, Run
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState

__all__ = ["give_up", "restore_fragments", "start_over"]

_E = ExecutionState


def _of(run: Run) -> Delegation:
    if run.delegated is None:
        run.delegated = Delegation()
    return run.delegated


def group_emitted(state: State, event: happened.GroupEmitted) -> None:
    emitter = state.runs[event.run]
    parent = state.runs[event.parent]
    _add_fragment(state, event.task, emitter.task.number, event.as_, event.definitions)
    group = Run(event.group, state.plan.tasks[event.task], parent, emitter.scope, emitter.frame)
    group.group = True
    group.entered = True
    group.status = _E.WAIT_FOR_SUB_TASKS
    group.body = FanBody(event.items)
    group.body.emitter = emitter.id
    group.body.kinds = event.kinds
    state.runs[group.id] = group
    parent.below.children[group.id] = group
    parent.below.open += 1
    delegated = _of(emitter)
    replaced = delegated.groups.get(event.name)
    if replaced is not None:
        abandon_group(state, replaced)
    delegated.groups[event.name] = group.id
    delegated.count += 1


def _add_fragment(state: State, number: int, emitter: int, as_: str, definitions: tuple[str, ...]) -> None:
    state.plan = extend(state.plan, number, emitter, as_, definitions)
    key = (emitter, as_, definitions)
    if key in state.fragments:
        return
    state.fragments[key] = number
    if state.selected is not None:
        state.selected |= frozenset(range(number, len(state.plan.tasks)))


def restore_fragments(state: State, fragments: list[tuple[int, int, str, tuple[str, ...]]]) -> None:
    """Add those of a snapshot: number, emitting task, name of an item, definitions."""
    for number, emitter, as_, definitions in fragments:
        _add_fragment(state, number, emitter, as_, definitions)


def start_over(state: State, delegated: Delegation) -> None:
    """Another attempt begins, and has awaited nothing yet."""
    delegated.start_over()
    for group_id in delegated.groups.values():
        group = state.runs.get(group_id)
        if group is not None and group.fan.emitter:
            group.fan.joined = None


def give_up(state: State, run: Run) -> None:
    """The attempt has failed: what it has emitted is nothing to the next one."""
    delegated = run.delegated
    assert delegated is not None
    delegated.waits.clear()
    for group_id in delegated.groups.values():
        abandon_group(state, group_id)
    delegated.groups.clear()
    delegated.base = delegated.count


def wait_begun(state: State, event: happened.WaitBegun) -> None:
    run = state.runs[event.run]
    if run.status is not _E.WAIT_ASYNC:
        state.move(run, _E.WAIT_ASYNC)
    _of(run).waits[event.ticket] = event.value if event.group is None else event.group
    # Who waits gives no sign of life.
    run.timers.pop(TimerKind.HEARTBEAT, None)
    if event.group is not None:
        state.runs[event.group].fan.joined = run.id


def wait_ended(state: State, event: happened.WaitEnded) -> None:
    run = state.runs[event.run]
    delegated = _of(run)
    waited = delegated.waits.pop(event.ticket)
    if event.drop and isinstance(waited, str):
        abandon_group(state, waited)
    if not delegated.waits:
        state.move(run, _E.RUNNING)
        if event.heartbeat is not None:
            run.timers[TimerKind.HEARTBEAT] = event.heartbeat


def execution_resumed(state: State, event: happened.ExecutionResumed) -> None:
    _of(state.runs[event.run]).values.append(event.value)


def output_awaited(state: State, event: happened.OutputAwaited) -> None:
    run = state.runs[event.run]
    delegated = _of(run)
    if run.status is not _E.WAIT_ASYNC:
        state.move(run, _E.WAIT_ASYNC)
    delegated.waits.clear()
    delegated.collecting = dict.fromkeys(event.groups)
    delegated.missing = 0
    for group_id in event.groups:
        group = state.runs[group_id]
        group.fan.joined = run.id
        delegated.missing += not group.status.final
    run.timers.clear()
    if event.due is not None:
        run.timers[TimerKind.TIMEOUT] = event.due
