"""Events as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from fluxor_actors.errors import SchemaVersionError
from fluxor_actors.process.event_codec import EventCodec
from fluxor_actors.process.events import Event

__all__ = ["Codec", "JsonCodec"]


class Codec(Protocol):
    """Turns the events of a record into text, and back. Safe between threads."""

    def dumps(self, events: Sequence[Event]) -> str:
        """The text of events."""
        ...

    def loads(self, text: str) -> Sequence[Event]:
        """The events of a text.

        Raises:
            SchemaVersionError: a newer program has written them, or they are damaged.
        """
        ...


class JsonCodec:
    """A JSON list of events as `EventCodec` writes them.

    Example:
        >>> from fluxor_actors.process.events import ProcessPaused
        >>> codec = JsonCodec()
        >>> codec.dumps([ProcessPaused()])
        '[{"type":"ProcessPaused","v":1}]'
        >>> codec.loads(_)
        [ProcessPaused()]
    """

    def __init__(self, events: EventCodec | None = None) -> None:
        self._events = events or EventCodec()
        # What is plain contains no circles.
        self._encode = json.JSONEncoder(
            ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
        ).encode

    def dumps(self, events: Sequence[Event]) -> str:
        to_plain = self._events.to_plain
        return self._encode([to_plain(event) for event in events])

    def loads(self, text: str) -> list[Event]:
        from_plain = self._events.from_plain
        try:
            found = json.loads(text)
        except (ValueError, TypeError, RecursionError) as error:
            raise SchemaVersionError(
                f"the events of a record cannot be read, they are damaged: {error!r:.200}"
            ) from error
        if not isinstance(found, list):
            raise SchemaVersionError(
                f"the events of a record are damaged: a list was expected, not a {type(found).__name__}"
            )
        return [from_plain(data) for data in found]
