"""What stands for an assignment in a queue: plain data that say whose it is, and for people what it is about.

Example:
    >>> Ticket.read({"engine": "e1", "ticket": 7, "sent": 1000.0})
    Ticket(engine='e1', number=7, sent=1000.0)
    >>> Ticket.read({"order": 1}) is None
    True
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import frozen

from fluxor_actors.actors.messages import Assignment

__all__ = ["Ticket"]


@frozen
class Ticket:
    """One ticket: the engine's id, its number there, and when it was put in, in seconds since the epoch. Number 0 is an engine's last."""

    engine: str
    number: int
    sent: float

    @property
    def id(self) -> str:
        """Of its message."""
        return f"{self.engine}/{self.number}"

    @property
    def last(self) -> bool:
        """Whether its engine puts in no more."""
        return self.number == 0

    def write(self, assignment: Assignment | None = None) -> dict[str, Any]:
        """As plain data."""
        about: dict[str, Any] = {}
        if assignment is not None:
            about = {
                "process": assignment.process_id,
                "run": assignment.run,
                "attempt": assignment.attempt,
                "service": assignment.service,
                "method": assignment.method,
            }
        return {"engine": self.engine, "ticket": self.number, "sent": self.sent, **about}

    @classmethod
    def read(cls, item: Any) -> Self | None:
        """From plain data; None when it is no ticket."""
        if not isinstance(item, Mapping):
            return None
        engine, number, sent = item.get("engine"), item.get("ticket"), item.get("sent")
        if not isinstance(engine, str) or not isinstance(number, int) or not isinstance(sent, float | int):
            return None
        return cls(engine, number, float(sent))
