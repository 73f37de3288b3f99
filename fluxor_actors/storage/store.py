"""What a store has to do. One contract suite runs against every implementation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from attrs import field

from fluxor_actors.light import frozen
from fluxor_actors.process.events import Event
from fluxor_actors.process.states import ProcessState

__all__ = ["Append", "ApprovalRecord", "Header", "Journal", "Record", "Store"]


@frozen(slots=True)
class Record:
    """Events that were decided together: numbers ``first`` and on, at one time (seconds since the epoch)."""

    first: int
    at: float
    events: Sequence[Event]


@frozen(slots=True)
class Header:
    """What a process can be found by, as it was after event number ``sequence``. Times in seconds since the epoch."""

    id: str
    workflow: str
    version: str
    definition_hash: str
    state: ProcessState
    sequence: int
    created_at: float
    updated_at: float
    finished_at: float | None = None
    parent_id: str | None = None
    root_id: str = ""
    labels: Mapping[str, str] = field(factory=dict)


@frozen(slots=True)
class ApprovalRecord:
    """What an approval request can be found by, and what it is, as whoever wrote it wrote it. Written again, the newer one holds.

    Attributes:
        id: the request's.
        process_id: the process that waits for the answer.
        action: ``service:method``.
        pending: whether an answer is still waited for.
        created_at: seconds since the epoch.
        data: the request, and its decision once there is one, as JSON.
    """

    id: str
    process_id: str
    action: str
    pending: bool
    created_at: float
    data: str


@frozen(slots=True)
class Append:
    """A record for a process's journal, and the header that holds from then on (None: unchanged).

    ``approvals``: requests that were made or answered by these events.
    """

    process_id: str
    record: Record
    header: Header | None = None
    approvals: Sequence[ApprovalRecord] = ()


@frozen(slots=True)
class Journal:
    """All that is known of one process."""

    header: Header
    records: Sequence[Record]


class Store(Protocol):
    """Keeps journals. Safe between threads. What is read is what was committed: nobody ever sees part of a batch."""

    #: whether `append` returns at once, so that no journal thread is needed
    immediate: bool

    def append(self, batch: Sequence[Append]) -> None:
        """Commit all of the batch, or nothing.

        Raises:
            OwnershipLostError: a record's first number is not the next one of its process.
            StoreUnavailableError: the store cannot be reached; it may be tried again.
        """
        ...

    def read(self, process_id: str) -> Journal | None:
        """The journal of a process; None when there is none."""
        ...

    def header(self, process_id: str) -> Header | None:
        """The header of a process; None when there is none."""
        ...

    def headers(
        self,
        *,
        state: ProcessState | None = None,
        workflow: str | None = None,
        parent_id: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Header]:
        """Headers in the order of creation, of those that fit at the time of the call.

        Args:
            state: only those in this state.
            workflow: only those of the workflow of this name.
            parent_id: only children of this process.
            after: only those created after this one; one that is not there any more has none after it.
            limit: how many at most, counted among those that fit.
        """
        ...

    def approvals(
        self,
        *,
        process_id: str | None = None,
        action: str | None = None,
        pending: bool | None = True,
        after: str | None = None,
        limit: int | None = None,
    ) -> Iterator[ApprovalRecord]:
        """Approval requests in the order in which they were first written, of those that fit at the time of the call.

        Args:
            process_id: only those of this process.
            action: only those for this action, as it was written.
            pending: only those that wait for an answer (True), or do not (False); None: both.
            after: only those written after this one; one that is not there any more has none after it.
            limit: how many at most.
        """
        ...

    def approval(self, request_id: str) -> ApprovalRecord | None:
        """One approval request; None when there is none of this id. It goes with its process."""
        ...

    def put_definition(self, content_hash: str, text: str) -> None:
        """Keep a definition under its hash, as long as a process with that hash is kept. The same again changes nothing."""
        ...

    def definition(self, content_hash: str) -> str | None:
        """The definition of that hash."""
        ...

    def delete(self, process_id: str) -> None:
        """Forget a process. One that does not exist is forgotten already."""
        ...

    def close(self) -> None:
        """Free what the store holds. Safe to call twice."""
        ...
