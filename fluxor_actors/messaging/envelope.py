"""What is written of a message: JSON, since every place can keep text.

Example:
    >>> Envelope.read(Envelope("a", {"n": 1}).write())
    Envelope(id='a', payload={'n': 1}, error='')
"""

from __future__ import annotations

import json
import uuid
from typing import Any, Self

from attrs import frozen

from fluxor_actors.errors import QueueError
from fluxor_actors.plain import to_plain

__all__ = ["Envelope", "new_id"]


@frozen
class Envelope:
    """An item, its id, and why it was refused the last time."""

    id: str
    payload: Any
    error: str = ""

    def write(self) -> str:
        """As text."""
        return json.dumps({"id": self.id, "payload": self.payload, "error": self.error}, ensure_ascii=False)

    @classmethod
    def read(cls, text: str | bytes) -> Self:
        """From text.

        Raises:
            QueueError: it is not what was written.
        """
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise QueueError(f"not a message: {error}") from error
        if not isinstance(found, dict) or not isinstance(found.get("id"), str) or "payload" not in found:
            # Not what was found: a log is no place for somebody's data.
            raise QueueError(f"not a message: expected a mapping with id and payload, found a {type(found).__name__}")
        return cls(found["id"], found["payload"], str(found.get("error", "")))


def new_id(given: Any) -> str:
    """The id of a message that is published: as given, or one of its own.

    Raises:
        QueueError: it is not text.
    """
    if given is None:
        return uuid.uuid4().hex
    if not isinstance(given, str) or not given:
        raise QueueError(f"the id of a message is {given!r}; expected text")
    text: str = to_plain(given)
    return text
