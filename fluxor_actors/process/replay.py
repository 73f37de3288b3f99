"""From a journal to a state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from fluxor_actors.errors import StoreError
from fluxor_actors.process.events import Event
from fluxor_actors.process.evolve import evolve
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.state import State

__all__ = ["replay"]


class Recorded(Protocol):
    """Events that were decided at one time."""

    @property
    def at(self) -> float: ...
    @property
    def events(self) -> Sequence[Event]: ...


def replay(plan: Plan, records: Iterable[Recorded], state: State | None = None) -> State:
    """The state after all events, the same as the live one that made them.

    Args:
        plan: of the process's definition.
        records: the events.
        state: what was before them; it is changed. None: nothing.

    Raises:
        StoreError: an event does not follow from those before it; the journal is damaged, or that of another definition.
    """
    state = state or State(plan)
    for record in records:
        if state.sequence == 0:
            state.created_at = record.at
        for event in record.events:
            try:
                evolve(state, event)
            except Exception as error:  # whatever it comes across that is not there
                raise StoreError(
                    f"the journal of process {state.id} cannot be replayed: event {state.sequence + 1}, {type(event).__name__}, "
                    f"does not follow from those before it ({error!r:.200})"
                ) from error
        state.updated_at = record.at
        if state.finished_at is None and state.status.final:
            state.finished_at = record.at
    return state
