"""The processes of a store, as ``fluxor ps`` lists them."""

from __future__ import annotations

import json
import time
from collections import deque
from typing import Any

from attrs import frozen

from fluxor_actors.cli.looking import Onlooker
from fluxor_actors.cli.snapshots import progress_data
from fluxor_actors.cli.tables import table
from fluxor_actors.cli.text import took
from fluxor_actors.instants import to_datetime
from fluxor_actors.process.states import ProcessState
from fluxor_actors.progress import Progress
from fluxor_actors.storage import Header
from fluxor_actors.storage.durable import DurableStore

__all__ = ["ProcessList"]

_MOST_EVENTS = 20_000
"""How many events are read to say how far a process is."""


@frozen
class _Row:
    """One process. ``progress``: None for one with too many events to be counted; ``engine``: who runs it."""

    header: Header
    progress: Progress | None
    engine: str | None


class ProcessList:
    """The newest processes that fit.

    Args:
        store: where they are.
        state: only those in it.
        workflow: only those of it.
        limit: how many; 0 is all.

    Attributes:
        rows: what was found, the oldest first.
        older: how many were left out.
    """

    def __init__(self, store: DurableStore, state: ProcessState | None, workflow: str | None, limit: int) -> None:
        onlooker = Onlooker(store)
        kept: deque[Header] = deque(maxlen=limit or None)
        count = 0
        for header in store.headers(state=state, workflow=workflow):
            kept.append(header)
            count += 1
        self.older = count - len(kept)
        self.rows = [
            _Row(
                header,
                onlooker.progress(header.id) if header.sequence <= _MOST_EVENTS else None,
                None if header.state.final else store.owner_of(header.id),
            )
            for header in kept
        ]

    def lines(self) -> list[str]:
        """A table."""
        now = time.time()
        rows = [
            [
                row.header.id,
                row.header.workflow,
                _state(row),
                took(now - row.header.created_at),
                _progress(row.progress),
            ]
            for row in self.rows
        ]
        return table(["id", "workflow", "state", "age", "progress"], rows, right=[3, 4])

    def json(self) -> str:
        """A list for programs."""
        return json.dumps([_data(row) for row in self.rows], indent=2)


def _state(row: _Row) -> str:
    left = row.engine is None and not row.header.state.final and row.header.state is not ProcessState.PAUSED
    return f"{row.header.state}, no engine" if left else str(row.header.state)


def _progress(progress: Progress | None) -> str:
    if progress is None:
        return "-"
    return f"{progress.total - progress.running - progress.pending}/{progress.total}"


def _data(row: _Row) -> dict[str, Any]:
    header = row.header
    return {
        "id": header.id,
        "workflow": header.workflow,
        "version": header.version,
        "state": str(header.state),
        "engine": row.engine,
        "parentId": header.parent_id,
        "rootId": header.root_id,
        "labels": dict(header.labels),
        "createdAt": to_datetime(header.created_at).isoformat(),
        "updatedAt": to_datetime(header.updated_at).isoformat(),
        "finishedAt": None if header.finished_at is None else to_datetime(header.finished_at).isoformat(),
        "progress": None if row.progress is None else progress_data(row.progress),
    }
