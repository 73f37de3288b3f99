"""What is deleted, by command or policy."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, func, or_, select, update
from sqlalchemy.sql.expression import ColumnElement

from fluxor_actors.clock import Clock
from fluxor_actors.storage.durable import Pruned
from fluxor_actors.storage.sql.link import Link
from fluxor_actors.storage.sql.statements import upserting
from fluxor_actors.storage.sql.tables import (
    FINISHED,
    approvals,
    commands,
    definitions,
    executions,
    processes,
    records,
    snapshots,
)

__all__ = ["Pruning"]

_PAGE = 500
_GRACE = 3600.0
"""How long a definition is kept that no process has: one may be about to start with it."""
_ANSWERED = 86_400.0
"""How long a command that was answered is kept, from when it was put."""

_OF_PROCESS = (
    (records, records.c.process_id),
    (snapshots, snapshots.c.process_id),
    (executions, executions.c.process_id),
    (approvals, approvals.c.process_id),
    (commands, commands.c.process_id),
    (processes, processes.c.id),
)


class Pruning:
    """Keeps definitions, and deletes what is not kept any more."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._put = upserting(link.engine.dialect)(definitions).on_conflict_do_update(
            index_elements=["hash"], set_={"unused_since": None}
        )

    def put_definition(self, content_hash: str, text: str) -> None:
        """See `Store.put_definition`."""
        statement = self._put.values(hash=content_hash, text=text)
        self._link.write(lambda connection: connection.execute(statement))

    def delete(self, process_id: str) -> None:
        """See `Store.delete`."""
        self._link.write(lambda connection: _delete(connection, [process_id]))

    def prune(self, before: float | None, keep: int | None, dry_run: bool) -> Pruned:
        """See `DurableStore.prune`."""
        beyond = self._beyond(before, keep)
        if dry_run:
            query = select(func.count()).select_from(processes).where(beyond)
            unused = select(func.count()).select_from(definitions).where(_unused(), self._long())
            return self._link.read(
                lambda connection: Pruned(
                    connection.execute(query).scalar_one(), connection.execute(unused).scalar_one()
                ),
                frozen=True,
            )
        query_page = select(processes.c.id).where(beyond).order_by(processes.c.ended).limit(_PAGE)

        def page(connection: Connection) -> int:
            ids = list(connection.execute(query_page).scalars())
            _delete(connection, ids)
            return len(ids)

        count = 0
        # A page at a time, so that nobody waits long.
        while deleted := self._link.write(page):
            count += deleted
        return Pruned(count, self._link.write(self._sweep))

    def _beyond(self, before: float | None, keep: int | None) -> ColumnElement[bool]:
        """Whether a process is finished, and beyond what is kept."""
        p, root = processes.c, processes.alias("root")
        limits: list[ColumnElement[bool]] = []
        if before is not None:
            limits.append(p.finished_at < before)
        if keep is not None:
            query = select(p.ended).where(p.ended.is_not(None)).order_by(p.ended.desc()).offset(keep).limit(1)
            last = self._link.read(lambda connection: connection.execute(query).scalar())
            if last is not None:
                limits.append(p.ended <= last)
        under_way = select(root.c.id).where(root.c.id == p.root_id, root.c.standing != FINISHED).exists()
        # Without a limit nothing is beyond it.
        return p.ended.is_not(None) & (p.standing == FINISHED) & ~under_way & or_(p.id.is_(None), *limits)

    def _long(self) -> ColumnElement[bool]:
        return definitions.c.unused_since <= self._clock.time() - _GRACE

    def _sweep(self, connection: Connection) -> int:
        """Delete old answers, and definitions that were found unused long ago and are so still; mark those that are unused now."""
        connection.execute(
            delete(commands).where(
                commands.c.answer.is_not(None), commands.c.created_at <= self._clock.time() - _ANSWERED
            )
        )
        since = definitions.c.unused_since
        connection.execute(update(definitions).where(since.is_not(None), ~_unused()).values(unused_since=None))
        deleted = connection.execute(delete(definitions).where(_unused(), self._long())).rowcount
        connection.execute(
            update(definitions).where(since.is_(None), _unused()).values(unused_since=self._clock.time())
        )
        return deleted


def _unused() -> ColumnElement[bool]:
    return definitions.c.hash.not_in(select(processes.c.definition_hash))


def _delete(connection: Connection, process_ids: list[str]) -> None:
    if process_ids:
        for table, column in _OF_PROCESS:
            connection.execute(
                table.delete().where(column == bindparam("b_id")), [{"b_id": each} for each in process_ids]
            )
