"""What holds after every simulation, whatever the workflow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from fluxor_actors.actors.timer import Timer
from fluxor_actors.names import execution_id
from fluxor_actors.process.events import (
    AttemptScheduled,
    ChildAwaited,
    Event,
    ProcessCancelRequested,
    ProcessRestarted,
    RunOpened,
)
from fluxor_actors.process.plan import Plan, Role, TaskPlan
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage import Header
from fluxor_actors.storage.durable import DurableStore
from fluxor_actors.testing.findings import Finding
from fluxor_actors.testing.journals import unfaithful

if TYPE_CHECKING:
    from fluxor_actors.testing.simulation.world import Simulation

__all__ = ["broken"]

_LATER = 100


def broken(simulation: Simulation) -> Iterator[Finding]:
    """What does not hold, at a moment when nothing can be done without time passing."""
    store: Any = simulation.store
    headers = list(store.headers())
    yield from simulation.ledger.findings
    for process_id, reason in unfaithful(cast(DurableStore, store), simulation.plan_of, {}):
        yield Finding("journal", process_id, reason)
    for header in headers:
        yield from _counts(simulation, header)
        yield from _cancelled(
            simulation.ledger.events(header.id), simulation.plan_of(header.definition_hash), header.id
        )
        if not header.state.final:
            yield from _unexplained(simulation, header)
    yield from _orphans(simulation, {header.id: header for header in headers})
    if all(header.state.final for header in headers):
        yield from _left(simulation)


def _counts(simulation: Simulation, header: Header) -> Iterator[Finding]:
    if header.parent_id is not None:
        return
    progress = simulation.through(lambda: simulation.engine.runtime.progress(header.id))
    ended = progress.completed + progress.skipped + progress.failed + progress.cancelled
    if ended + progress.running + progress.pending != progress.total:
        yield Finding("counts", header.id, f"{progress} does not add up")
    family = [each for each in simulation.store.headers() if each.root_id == header.id]
    if all(each.state.final for each in family) and progress.running + progress.pending:
        yield Finding("counts", header.id, f"it has ended, and {progress} says that something is to come")


def _cancelled(events: list[Event], plan: Plan, process_id: str) -> Iterator[Finding]:
    """After a cancellation nothing begins but what ``finally`` says, and what that depends on."""
    opened: dict[str, RunOpened] = {}
    cancelled = False
    for event in events:
        if isinstance(event, RunOpened):
            opened[event.run] = event
        elif isinstance(event, ProcessCancelRequested):
            cancelled = True
        elif isinstance(event, ProcessRestarted):
            cancelled = False
        elif isinstance(event, AttemptScheduled) and cancelled and not _excused(event.run, opened, plan):
            yield Finding("cancel", execution_id(process_id, event.run), "it was begun after the cancellation")


def _excused(run: str, opened: dict[str, RunOpened], plan: Plan) -> bool:
    each = opened.get(run)
    while each is not None:
        # What an action has emitted is in no plan of the document's.
        if each.demanded or each.task >= len(plan.tasks) or _in_finally(plan.tasks[each.task], plan):
            return True
        each = None if each.parent is None else opened.get(each.parent)
    return False


def _in_finally(task: TaskPlan, plan: Plan) -> bool:
    while task.number:
        if task.role is Role.FINALLY:
            return True
        task = plan.tasks[task.parent]
    return False


def _unexplained(simulation: Simulation, header: Header) -> Iterator[Finding]:
    explanation = simulation.through(lambda: simulation.engine.runtime.explain(header.id))
    outside = explanation.remedy or any(each.cause.outside or each.until for each in explanation.waiting)
    if not explanation.reason or not outside:
        yield Finding("unfinished", header.id, f"{header.state}: {explanation.reason}; nothing would move it")


def _orphans(simulation: Simulation, headers: dict[str, Header]) -> Iterator[Finding]:
    """A process that has ended has cancelled those that it waited for."""
    for header in headers.values():
        if header.state.final:
            for event in simulation.ledger.events(header.id):
                child = headers.get(event.child) if isinstance(event, ChildAwaited) and event.owned else None
                if child is not None and not child.state.final and child.state is not ProcessState.CANCEL_REQUESTED:
                    yield Finding(
                        "left", child.id, f"it is {child.state}, and {header.id}, which waited for it, has ended"
                    )


def _left(simulation: Simulation) -> Iterator[Finding]:
    """Everything has ended: there is nothing to wake anybody for, and nothing is called any more."""
    now = simulation.clock.time()
    while (due := simulation.dispatcher.next_due()) is not None and due <= now:
        # One that is due already does nothing, for nobody waits for it any more.
        simulation.next()
    for alarm in simulation.dispatcher.alarms:
        # That of no run is for trying again what a store could not do.
        runs = [key for key in alarm.armed() if key[1]] if isinstance(alarm, Timer) else []
        for process_id, run, kind in runs:
            yield Finding(
                "left", execution_id(process_id, run), f"a timer ({kind}) is set, and every process has ended"
            )
    calls = len(simulation.ledger.calls)
    for _ in range(_LATER):
        if not simulation.next():
            break
    for call in simulation.ledger.calls[calls:]:
        yield Finding("left", call.key, f"attempt {call.attempt} began after every process had ended")
