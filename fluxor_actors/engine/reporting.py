"""Telling a caller how its process gets on."""

from __future__ import annotations

from typing import Any

from fluxor_actors.actors.event_service import EventService
from fluxor_actors.actors.subscriptions import Subscription
from fluxor_actors.engine.ambient import ProgressListener
from fluxor_actors.events import Event
from fluxor_actors.process.snapshot import Process
from fluxor_actors.progress import Progress

__all__ = ["report"]

_EVENTS = ("progress.changed", "process.completed", "process.failed", "process.cancelled")


def report(events: EventService, process_id: str, listener: ProgressListener) -> Subscription:
    """Call ``listener`` with every progress of a root process, to the last. Returns what stops it before."""
    over = False

    def hear(event: Event[Any]) -> None:
        nonlocal over
        if isinstance(event.data, Process):
            over = True
            return
        progress: Progress = event.data
        try:
            listener(process_id, progress)
        finally:
            # A sub-workflow that nobody waits for may outlive the process.
            if over and not progress.running and not progress.pending:
                subscription()

    subscription = events.subscribe(hear, type=(Process, Progress), process_id=process_id, event_type=_EVENTS)
    return subscription
