"""Copies in tables of SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic

from sqlalchemy import BigInteger, Column, Connection, Double, MetaData, Table, Text, and_, or_, select

from fluxor_actors.errors import StoreError
from fluxor_actors.process.snapshot import Execution, Process
from fluxor_actors.storage.dao.dao import Kept
from fluxor_actors.storage.dao.documents import check_filters, fits, from_text, to_text
from fluxor_actors.storage.sql.backend import STRICT, Backend, parse_url
from fluxor_actors.storage.sql.link import Link
from fluxor_actors.storage.sql.postgres import PostgresBackend
from fluxor_actors.storage.sql.sqlite import SqliteBackend
from fluxor_actors.storage.sql.statements import upserting

__all__ = ["SqlDao"]

_COLUMNS: dict[type, tuple[str, ...]] = {
    Process: ("workflow", "state", "parent_id", "root_id"),
    Execution: ("process_id", "task_id", "name", "state"),
}
_NAMES: dict[type, str] = {Process: "fluxor_dao_processes", Execution: "fluxor_dao_executions"}
_FOUND_BY: dict[type, str] = {Process: "workflow", Execution: "process_id"}


class SqlDao(Generic[Kept]):
    """Keeps snapshots in a table of its own, ``fluxor_dao_processes`` or ``fluxor_dao_executions``, for others to query.

    A row has the id, the fields one looks for most, and all fields as JSON in ``document``. The table is made when it is not there. The
    database may be that of the engine's store.

    Args:
        kind: `Process` or `Execution`.
        url: ``sqlite:///file.db`` or ``postgresql://user@host/database``.
        durability: "strict" or "relaxed", as for a store.

    Raises:
        StoreUnavailableError: the database cannot be reached at present.
        StoreError: the URL is not one of a database, or what is there is none.
    """

    def __init__(self, kind: type[Kept], url: str, *, durability: str = STRICT) -> None:
        self._kind: type[Kept] = kind
        self._columns = _COLUMNS[kind]
        self._table = _table(kind)
        backend = _backend(url, durability)
        backend.check()
        self._link = Link(backend)
        self._backend = backend
        try:
            backend.prepare(self._link.open())
            self._link.write(self._set_up)
        except BaseException:
            self._link.close()
            raise
        insert = upserting(self._link.engine.dialect)(self._table)
        old, new = self._table.c, insert.excluded
        self._upsert = insert.on_conflict_do_update(
            index_elements=["id"],
            set_={column.name: new[column.name] for column in self._table.columns if column.name != "id"},
            where=or_(
                old.process_created < new.process_created,
                and_(old.process_created == new.process_created, old.sequence <= new.sequence),
            ),
        )

    def _set_up(self, connection: Connection) -> None:
        self._backend.lock_schema(connection)
        self._table.metadata.create_all(connection)

    def save(self, value: Kept) -> None:
        self.save_many([value])

    def save_many(self, values: Sequence[Kept]) -> None:
        """Save all of them, in this order, in one transaction."""
        rows = [self._row(value) for value in values]
        if rows:
            self._link.write(lambda connection: connection.execute(self._upsert, rows))

    def load(self, id: str) -> Kept | None:  # noqa: A002  # the name that the snapshots have for it
        query = select(self._table.c.document).where(self._table.c.id == id)
        text = self._link.read(lambda connection: connection.execute(query).scalar())
        return None if text is None else from_text(self._kind, text)

    def delete(self, id: str) -> None:  # noqa: A002  # as above
        statement = self._table.delete().where(self._table.c.id == id)
        self._link.write(lambda connection: connection.execute(statement))

    def list(self, **filters: Any) -> Sequence[Kept]:
        check_filters(self._kind, filters)
        query = select(self._table.c.document)
        for name, wanted in filters.items():
            if name == "id" or name in self._columns:
                query = query.where(self._table.c[name] == (None if wanted is None else str(wanted)))
        texts = self._link.read(lambda connection: list(connection.execute(query).scalars()))
        found = (from_text(self._kind, text) for text in texts)
        # Ordered here: how texts are ordered is a setting of the database.
        return tuple(sorted((value for value in found if fits(value, filters)), key=lambda value: value.id))

    def close(self) -> None:
        """Free the connections. Safe to call twice; call it after the engine's shutdown."""
        self._link.close()

    def _row(self, value: Kept) -> dict[str, Any]:
        created, sequence = value.revision
        row: dict[str, Any] = {"id": value.id, "process_created": created, "sequence": sequence}
        for name in self._columns:
            field = getattr(value, name)
            row[name] = None if field is None else str(field)
        row["document"] = to_text(value)
        return row


def _table(kind: type) -> Table:
    return Table(
        _NAMES[kind],
        MetaData(),
        Column("id", Text, primary_key=True),
        *(Column(name, Text, index=name == _FOUND_BY[kind]) for name in _COLUMNS[kind]),
        Column("process_created", Double, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("document", Text, nullable=False),
    )


def _backend(url: str, durability: str) -> Backend:
    parts = parse_url(url)
    if parts.get_backend_name() == "sqlite":
        return SqliteBackend(parts, durability, 5.0, {}, 4)
    if parts.get_backend_name() == "postgresql":
        return PostgresBackend(parts, durability, 5.0, 4)
    raise StoreError(f"{parts} is of no known kind; expected sqlite:///… or postgresql://…")
