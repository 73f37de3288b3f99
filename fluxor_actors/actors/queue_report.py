"""What the allocator tells of those who wait for a worker."""

from __future__ import annotations

from collections.abc import Mapping

from fluxor_actors.light import frozen

__all__ = ["QueueReport", "ReportQueue"]


@frozen(slots=True)
class ReportQueue:
    """Asked of the allocator: which attempts of that process wait. The answer is a `QueueReport`."""

    process_id: str


@frozen(slots=True)
class QueueReport:
    """The runs of a process that wait.

    Attributes:
        waiting: each with the limit of its action, where that holds it up, or None.
        running: how many attempts run in the whole engine.
        workers: how many may.
    """

    waiting: Mapping[str, int | None]
    running: int
    workers: int
