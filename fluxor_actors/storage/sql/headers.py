"""Headers as rows of a table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage.sql.link import Link
from fluxor_actors.storage.sql.tables import processes
from fluxor_actors.storage.store import Header

__all__ = ["COLUMNS", "Headers", "from_row", "to_values"]

COLUMNS = tuple(
    processes.c[name]
    for name in (
        "id", "workflow", "version", "definition_hash", "state", "sequence", "created_at", "updated_at", "finished_at",
        "parent_id", "root_id", "labels",
    )
)  # fmt: skip
"""The columns that make a header, in the order of its fields."""

_PAGE = 500


def from_row(row: Sequence[Any]) -> Header:
    """The header that a row of `COLUMNS` holds."""
    id_, workflow, version, content_hash, state, sequence, created, updated, finished, parent, root, labels = row
    return Header(
        id_, workflow, version, content_hash, ProcessState(state), sequence, created, updated, finished, parent, root, json.loads(labels)
    )  # fmt: skip


def to_values(header: Header) -> dict[str, Any]:
    """What stands in the columns."""
    return {
        "id": header.id,
        "workflow": header.workflow,
        "version": header.version,
        "definition_hash": header.definition_hash,
        "state": str(header.state),
        "sequence": header.sequence,
        "created_at": header.created_at,
        "updated_at": header.updated_at,
        "finished_at": header.finished_at,
        "parent_id": header.parent_id,
        "root_id": header.root_id,
        "labels": json.dumps(dict(header.labels), ensure_ascii=False) if header.labels else "{}",
    }


class Headers:
    """Finds processes."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def one(self, process_id: str) -> Header | None:
        """The header of one process."""
        query = select(*COLUMNS).where(processes.c.id == process_id)
        row = self._link.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else from_row(row)

    def many(self, process_ids: Sequence[str]) -> list[Header]:
        """See `DurableStore.headers_of`."""
        found: list[Header] = []
        for first in range(0, len(process_ids), _PAGE):
            query = select(*COLUMNS).where(processes.c.id.in_(process_ids[first : first + _PAGE]))
            rows = self._link.read(lambda connection, page=query: list(connection.execute(page)))  # type: ignore[misc]
            found += map(from_row, rows)
        return found

    def find(
        self,
        state: ProcessState | None,
        workflow: str | None,
        parent_id: str | None,
        after: str | None,
        limit: int | None,
    ) -> Iterator[Header]:
        """See `Store.headers`. The first page is read at once and the others when they are asked for."""
        query = select(processes.c.position, *COLUMNS).order_by(processes.c.position)
        if state is not None:
            query = query.where(processes.c.state == str(state))
        if workflow is not None:
            query = query.where(processes.c.workflow == workflow)
        if parent_id is not None:
            query = query.where(processes.c.parent_id == parent_id)
        size = _PAGE if limit is None else min(limit, _PAGE)

        def first(connection: Connection) -> tuple[int, list[Row[Any]]] | None:
            last = connection.execute(select(func.max(processes.c.position))).scalar()
            start: int | None = 0
            if after is not None:
                start = connection.execute(select(processes.c.position).where(processes.c.id == after)).scalar()
            if last is None or start is None:
                return None
            return last, list(connection.execute(query.where(processes.c.position > start).limit(size)))

        found = self._link.read(first, frozen=True)
        return iter(()) if found is None else self._pages(query, found[0], found[1], size, limit)

    def _pages(
        self, query: Select[Any], last: int, rows: list[Row[Any]], size: int, limit: int | None
    ) -> Iterator[Header]:
        count = 0
        while rows:
            for row in rows:
                if limit is not None and count >= limit:
                    return
                yield from_row(row[1:])
                count += 1
            if len(rows) < size or (limit is not None and count >= limit):
                return
            # Created after the call: not asked for.
            following = query.where(processes.c.position > rows[-1][0], processes.c.position <= last).limit(size)
            rows = self._link.read(lambda connection, page=following: list(connection.execute(page)))  # type: ignore[misc]
