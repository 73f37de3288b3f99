"""Approval requests as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from fluxor_actors.storage.sql.link import Link
from fluxor_actors.storage.sql.tables import WAITING, approvals
from fluxor_actors.storage.store import ApprovalRecord

__all__ = ["Approvals", "approval_rows"]

_PAGE = 1_000
_COLUMNS = tuple(approvals.c[name] for name in ("id", "process_id", "action", "pending", "created_at", "data"))


def approval_rows(process_id: str, records: Sequence[ApprovalRecord]) -> list[dict[str, Any]]:
    """What stands in the columns."""
    return [
        {
            "id": each.id,
            "process_id": process_id,
            "action": each.action,
            "pending": int(each.pending),
            "created_at": each.created_at,
            "data": each.data,
        }
        for each in records
    ]


def _from_row(row: Sequence[Any]) -> ApprovalRecord:
    id_, process_id, action, pending, created_at, data = row
    return ApprovalRecord(id_, process_id, action, bool(pending), created_at, data)


class Approvals:
    """Finds approval requests."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def one(self, request_id: str) -> ApprovalRecord | None:
        """One request."""
        query = select(*_COLUMNS).where(approvals.c.id == request_id)
        row = self._link.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _from_row(row)

    def find(
        self, process_id: str | None, action: str | None, pending: bool | None, after: str | None, limit: int | None
    ) -> Iterator[ApprovalRecord]:
        """See `Store.approvals`. The first page is read at once and the others when they are asked for."""
        query = select(approvals.c.position, *_COLUMNS).order_by(approvals.c.position)
        if process_id is not None:
            query = query.where(approvals.c.process_id == process_id)
        if action is not None:
            query = query.where(approvals.c.action == action)
        if pending is not None:
            query = query.where(approvals.c.pending == WAITING if pending else approvals.c.pending != WAITING)
        size = _PAGE if limit is None else min(limit, _PAGE)

        def first(connection: Connection) -> tuple[int, list[Row[Any]]] | None:
            last = connection.execute(select(func.max(approvals.c.position))).scalar()
            start: int | None = 0
            if after is not None:
                start = connection.execute(select(approvals.c.position).where(approvals.c.id == after)).scalar()
            if last is None or start is None:
                return None
            return last, list(connection.execute(query.where(approvals.c.position > start).limit(size)))

        found = self._link.read(first, frozen=True)
        return iter(()) if found is None else self._pages(query, found[0], found[1], size, limit)

    def _pages(
        self, query: Select[Any], last: int, rows: list[Row[Any]], size: int, limit: int | None
    ) -> Iterator[ApprovalRecord]:
        left = limit
        while rows and left != 0:
            for row in rows if left is None else rows[:left]:
                yield _from_row(row[1:])
            if left is not None:
                left = max(0, left - len(rows))
            if len(rows) < size:
                return
            following = query.where(approvals.c.position > rows[-1][0], approvals.c.position <= last).limit(size)
            rows = self._link.read(lambda connection, page=following: list(connection.execute(page)))  # type: ignore[misc]
