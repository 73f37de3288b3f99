"""What the outside sees of a process: immutable snapshots. Times are aware, in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from fluxor_actors.errors import ProcessFailedError
from fluxor_actors.process.states import ExecutionState, ProcessState

__all__ = ["Execution", "Process", "ProcessOutput"]


@frozen(kw_only=True)
class Process:
    """A process at one moment.

    ``revision``, on what a DAO is given: of two snapshots of one thing the newer has the greater one. It holds when the process was
    created, in seconds since the epoch, and the number of its last event that is told of.
    """

    id: str
    workflow: str
    version: str = ""
    definition_hash: str = ""
    state: ProcessState = ProcessState.PENDING
    parent_id: str | None = None
    root_id: str = ""
    labels: Mapping[str, str] = field(factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    finished_at: datetime | None = None
    session: Mapping[str, Any] = field(factory=dict)
    errors: Mapping[str, str] = field(factory=dict)
    cancel_reason: str | None = None
    requested_by: str | None = None
    revision: tuple[float, int] = field(default=(0.0, 0), eq=False, repr=False)


@frozen(kw_only=True)
class Execution:
    """One run of one task at one moment. ``iteration`` counts from 1, ``attempt`` from 1 (0: not yet tried).

    ``revision``: as in `Process`.
    """

    id: str
    process_id: str = ""
    task_id: str = ""
    name: str = ""
    iteration: int = 1
    state: ExecutionState = ExecutionState.PENDING
    attempt: int = 0
    input: Any = None
    output: Any = None
    error: str | None = None
    approved: bool | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    revision: tuple[float, int] = field(default=(0.0, 0), eq=False, repr=False)


@frozen(kw_only=True)
class ProcessOutput:
    """What `wait` answers with. ``time_taken`` in seconds; ``timed_out``: the process was not final when the wait ended.

    Example:
        >>> done = ProcessOutput(process_id="p1", state=ProcessState.COMPLETED, output={"n": 1})
        >>> done.raise_for_error().output
        {'n': 1}
    """

    process_id: str
    state: ProcessState
    output: dict[str, Any] = field(factory=dict)
    errors: dict[str, str] = field(factory=dict)
    time_taken: float = 0.0
    timed_out: bool = False

    def raise_for_error(self) -> ProcessOutput:
        """Return itself if the process completed.

        Raises:
            ProcessFailedError: it failed or was cancelled, or is not final yet.
        """
        if self.state is not ProcessState.COMPLETED:
            raise ProcessFailedError(self.process_id, str(self.state), self.errors)
        return self
