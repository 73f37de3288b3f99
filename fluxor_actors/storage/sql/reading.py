"""Journals, definitions and ended executions, read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from fluxor_actors.storage.durable import DurableJournal, EndedExecution, Snapshot
from fluxor_actors.storage.sql.codec import Codec
from fluxor_actors.storage.sql.headers import COLUMNS, from_row
from fluxor_actors.storage.sql.link import Link
from fluxor_actors.storage.sql.tables import definitions, executions, processes, records, snapshots
from fluxor_actors.storage.store import Header, Record

__all__ = ["Reading"]

_PAGE = 500
_RECORD = (records.c.process_id, records.c.first, records.c.at, records.c.events)


class Reading:
    """Reads what was committed."""

    def __init__(self, link: Link, codec: Codec) -> None:
        self._link = link
        self._codec = codec

    def journals(self, process_ids: Sequence[str]) -> list[DurableJournal]:
        """The journals of those processes that there are, in no order: many are read as quickly as one."""
        found: list[DurableJournal] = []
        for start in range(0, len(process_ids), _PAGE):
            page = list(process_ids[start : start + _PAGE])
            headers, saved, rows = self._link.read(lambda connection, page=page: _read(connection, page), frozen=True)  # type: ignore[misc]
            written: dict[str, list[Record]] = {header.id: [] for header in headers}
            for row in rows:
                written[row[0]].append(self._record(row))
            found += [DurableJournal(header, tuple(written[header.id]), saved.get(header.id)) for header in headers]
        return found

    def history(self, process_id: str, after: int) -> Iterator[Record]:
        """See `DurableStore.history`."""
        while True:
            query = (
                select(*_RECORD, records.c.last)
                .where(records.c.process_id == process_id, records.c.last > after)
                .order_by(records.c.first)
                .limit(_PAGE)
            )
            rows = self._link.read(lambda connection, query=query: list(connection.execute(query)))  # type: ignore[misc]
            for row in rows:
                yield self._record(row)
            if len(rows) < _PAGE:
                return
            after = rows[-1][4]

    def _record(self, row: Sequence[Any]) -> Record:
        return Record(row[1], row[2], self._codec.loads(row[3]))

    def executions(self, process_id: str, ids: Sequence[str] | None) -> Iterator[EndedExecution]:
        """See `DurableStore.executions`."""
        position = 0
        wanted = executions.c.process_id == process_id
        if ids is not None:
            wanted &= executions.c.id.in_(ids)
        while True:
            query = (
                select(executions.c.position, executions.c.id, executions.c.data, executions.c.repeated)
                .where(wanted, executions.c.position > position)
                .order_by(executions.c.position)
                .limit(_PAGE)
            )
            rows = self._link.read(lambda connection, query=query: list(connection.execute(query)))  # type: ignore[misc]
            for row in rows:
                yield EndedExecution(row[1], row[2], bool(row[3]))
            if len(rows) < _PAGE:
                return
            position = rows[-1][0]

    def definition(self, content_hash: str) -> str | None:
        """See `Store.definition`."""
        query = select(definitions.c.text).where(definitions.c.hash == content_hash)
        return self._link.read(lambda connection: connection.execute(query).scalar())


def _read(connection: Connection, page: list[str]) -> tuple[list[Header], dict[str, Snapshot], list[Row[Any]]]:
    headers = [from_row(row) for row in connection.execute(select(*COLUMNS).where(processes.c.id.in_(page)))]
    query = select(snapshots.c.process_id, snapshots.c.sequence, snapshots.c.data)
    saved = {
        process_id: Snapshot(sequence, bytes(data))
        for process_id, sequence, data in connection.execute(query.where(snapshots.c.process_id.in_(page)))
    }
    # One at a time, and not by a join: which way to go about a join is the database's guess.
    covered = (
        select(snapshots.c.sequence).where(snapshots.c.process_id == records.c.process_id).scalar_subquery()
        if saved
        else None
    )
    after = select(*_RECORD).where(records.c.process_id.in_(page)).order_by(records.c.process_id, records.c.first)
    if covered is not None:
        after = after.where((covered.is_(None)) | (records.c.last > covered))
    return headers, saved, list(connection.execute(after))
