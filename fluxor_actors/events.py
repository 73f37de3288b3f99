"""What is published about processes: plain values for listeners, subscribers and logs.

Example:
    >>> from fluxor_actors.instants import to_datetime
    >>> event = Event(EventContext("p1", event_type="process.started"), to_datetime(0.0), data={"workflow": "hello"})
    >>> event.context.event_type, event.data["workflow"]
    ('process.started', 'hello')
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from attrs import field, frozen

__all__ = ["SEQUENCE", "Event", "EventContext"]

SEQUENCE = "sequence"
"""The key in the metadata of a process's event of its number in the process's journal: it grows, and starts at 1."""

T_co = TypeVar("T_co", covariant=True)

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@frozen(slots=True)
class EventContext:
    """Where an event comes from.

    Attributes:
        process_id: the process; empty for what concerns none.
        task_id: the task's full id; empty for what concerns the whole process.
        event_type: a dotted name, such as ``execution.completed``.
        service: the action's service, when there is an action.
        method: the action's method.
        time_taken_ms: how long what has ended took, in milliseconds.
    """

    process_id: str = ""
    task_id: str = ""
    event_type: str = ""
    service: str = ""
    method: str = ""
    time_taken_ms: int = 0


@frozen(slots=True, eq=False)
class Event(Generic[T_co]):
    """One thing that has happened.

    Attributes:
        context: where.
        created_at: when; an aware time.
        metadata: anything a publisher adds.
        data: what; its type is what one subscribes to.
    """

    context: EventContext
    created_at: datetime = field()
    metadata: Mapping[str, Any] = _NOTHING
    data: T_co = None  # type: ignore[assignment]  # an Event[None] unless something is given

    @created_at.validator
    def _aware(self, _attribute: object, value: datetime) -> None:
        if value.tzinfo is None:
            raise ValueError(
                f"created_at is {value!r}, a time without a zone; give an aware one, such as datetime.now(UTC)"
            )
