"""Why a process is where it is: what its journal says, and what is known of workers, engines and the processes it waits for."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import evolve, field, frozen

from fluxor_actors.errors import ProcessNotFoundError
from fluxor_actors.instants import to_datetime
from fluxor_actors.names import split_execution_id
from fluxor_actors.process.explaining import Since, explain_state, summary
from fluxor_actors.process.explanation import Cause, Explanation, Waiting
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage import Journal, Record
from fluxor_actors.storage.durable import Standing
from fluxor_actors.storage.restoring import restored

__all__ = ["Explainer", "Inside"]

_MOST_CHILDREN = 50


@frozen
class Inside:
    """What an engine knows of attempts at one process that no journal does.

    Attributes:
        running: since when each run is with a worker.
        queued: the runs that wait, each with the limit of its action where that holds it up.
        busy: how many attempts run, of how many that may.
    """

    running: Mapping[str, float] = field(factory=dict)
    queued: Mapping[str, int | None] = field(factory=dict)
    busy: tuple[int, int] = (0, 0)


class Explainer:
    """Explains processes of a store.

    Args:
        store: where they are.
        plan_of: gives plans by the hash of their definition.
        inside: asks the engine that runs them here; None where there is none.
        notes: what is to be said of the engine itself, such as that it cannot reach its store.
    """

    def __init__(
        self,
        store: Any,
        plan_of: Callable[[str], Plan],
        inside: Callable[[str], Inside | None] = lambda _process_id: None,
        notes: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._store = store
        self._plan_of = plan_of
        self._inside = inside
        self._notes = notes

    def explain(self, process_id: str) -> Explanation:
        """The explanation of a process, and of those that it waits for.

        Raises:
            ProcessNotFoundError: there is none of this id.
        """
        return self._explain(process_id, [], [_MOST_CHILDREN])

    def _explain(self, process_id: str, above: list[str], left: list[int]) -> Explanation:
        explanation = self._alone(process_id)
        if explanation.state.final:
            return explanation
        inside = self._inside(process_id)
        if inside is not None:
            waiting = tuple(_refined(each, inside) for each in explanation.waiting)
            explanation = evolve(explanation, waiting=waiting, reason=_again(explanation, waiting))
        notes = [*self._notes(), *self._care(explanation)]
        above = [*above, process_id]
        children = []
        for child in dict.fromkeys(each.on for each in explanation.waiting if each.cause is Cause.CHILD):
            if child in above:
                circle = " → ".join([*above[above.index(child) :], child])
                notes.append(f"none of these could ever end, for each waits for the next: {circle}")
            elif left[0] > 0:
                left[0] -= 1
                try:
                    children.append(self._explain(child, above, left))
                except ProcessNotFoundError:
                    notes.append(f"process {child}, which it waits for, is not there")
        return evolve(explanation, children=tuple(children), notes=tuple(notes))

    def _alone(self, process_id: str) -> Explanation:
        journal: Journal | None = self._store.read(process_id)
        if journal is None:
            raise ProcessNotFoundError(process_id)
        state = restored(self._plan_of(journal.header.definition_hash), journal, self._store)
        since = Since()
        for record in self._records(journal):
            for event in record.events:
                since.apply(event, record.at)
        return explain_state(state, since)

    def _records(self, journal: Journal) -> Iterable[Record]:
        history = getattr(self._store, "history", None)
        return journal.records if history is None else history(journal.header.id)

    def _care(self, explanation: Explanation) -> Iterable[str]:
        """Who runs it, if nobody does; and what it was told in vain."""
        ask = getattr(self._store, "standing", None)
        standing: Standing | None = None if ask is None else ask(explanation.process_id)
        if standing is None:
            return
        who = shlex.quote(explanation.process_id)
        on = f"`fluxor run FILE --id {who}` or `fluxor resume-all` goes on with it"
        if not standing.alive and standing.parked and not standing.engines:
            yield f"nobody looks after the store: {on}"
        elif not standing.alive and not standing.parked:
            yield f"no engine runs it{_last(standing)}: {on}"
        for command in standing.commands:
            when = to_datetime(command.created_at).isoformat(" ", "seconds")
            yield f"`{command.name}` was asked for at {when}, and nobody has answered it yet"


def _last(standing: Standing) -> str:
    if standing.identity is not None:
        return f" since program {standing.identity.pid} on {standing.identity.host} died"
    return "" if standing.owner is None else f" (engine {standing.owner} was the last)"


def _refined(waiting: Waiting, inside: Inside) -> Waiting:
    """What the allocator knows of an attempt: it runs, or for whom it waits."""
    if waiting.cause not in (Cause.WORKER, Cause.ACTION):
        return waiting
    _, run = split_execution_id(waiting.execution_id)
    if run in inside.running:
        return evolve(waiting, cause=Cause.ACTION, since=to_datetime(inside.running[run]))
    if run not in inside.queued:
        return waiting
    limit = inside.queued[run]
    if limit is not None:
        return evolve(waiting, cause=Cause.LIMIT, on=f"{waiting.on}, of which {limit} may run at once")
    running, workers = inside.busy
    return evolve(waiting, cause=Cause.WORKER, on=f"{waiting.on}, while {running} of {workers} workers are busy")


def _again(explanation: Explanation, waiting: tuple[Waiting, ...]) -> str:
    """The reason, with what is known better now."""
    if explanation.state is not ProcessState.RUNNING:
        return explanation.reason
    return summary(waiting)
