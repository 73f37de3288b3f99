"""What is told of commits to those who keep copies of processes and executions elsewhere."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from fluxor_actors.process.events import Event
from fluxor_actors.process.snapshot import Process

__all__ = ["Commit", "Mirror"]


@frozen(slots=True, eq=False)
class Commit:
    """Events of one process that are committed.

    Attributes:
        created_at: when the process was created, in seconds since the epoch.
        first: the number of the first event.
        at: when they happened, in seconds since the epoch.
        process: as it is after them; None when its state is still the same.
    """

    process_id: str
    definition_hash: str
    created_at: float
    first: int
    at: float
    events: list[Event]
    process: Process | None


class Mirror(Protocol):
    """Takes what is committed, and never makes whoever tells it wait."""

    def committed(self, commit: Commit) -> None:
        """Take in a commit; those of one process come in order."""
        ...

    def recovered(self, process_id: str, sequence: int) -> None:
        """Take in the process as it is in the store, if not all is known up to event ``sequence``: it is gone on with from there."""
        ...

    def wait_for_room(self) -> None:
        """Wait, for who commits, as long as too much has been taken in and not been copied."""
        ...

    def catch_up(self) -> None:
        """Compare what has changed last in the store with the copies, and save what they lack."""
        ...

    def hurry(self) -> None:
        """The engine is about to stop: nobody waits for room any more."""
        ...

    def inside(self) -> bool:
        """Whether the calling thread is the one that copies."""
        ...

    def stop(self, timeout: float) -> bool:
        """Copy what was taken in, and end. Whether that is done within ``timeout`` seconds."""
        ...
