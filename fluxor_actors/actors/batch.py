"""What one batch of messages has decided, until it is committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define
from pykka import Future

from fluxor_actors.process.effects import ApprovalEffect, Effect
from fluxor_actors.process.events import Event
from fluxor_actors.process.snapshot import Process
from fluxor_actors.process.states import ProcessState
from fluxor_actors.process.turn import Note

__all__ = ["Batch"]


@define(slots=True, eq=False)
class Batch:
    """Events of one time, and what waits for their commit.

    Attributes:
        at: seconds since the epoch.
        replies: futures, and what to answer with once all is committed.
        status: that of the process after the events.
        first: the number of the first event.
        process: as it is after the events, if somebody wants to know.
        asked: what has happened to approval requests.
    """

    events: list[Event]
    at: float
    notes: list[Note]
    replies: list[tuple[Future[Any], Callable[[], Any]]]
    effects: list[Effect]
    status: ProcessState
    first: int = 0
    process: Process | None = None
    asked: tuple[ApprovalEffect, ...] = ()

    def join(self, other: Batch) -> None:
        """Let what needs no commit of its own leave with this one."""
        self.replies += other.replies
        self.effects += other.effects
