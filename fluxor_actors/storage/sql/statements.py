"""The statements of an append, written once by SQLAlchemy and run by the driver: running them through SQLAlchemy costs a third of a commit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Dialect, bindparam, case, func, literal_column, null, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.expression import ClauseElement

from fluxor_actors.storage.sql.headers import COLUMNS
from fluxor_actors.storage.sql.tables import (
    ACTIVE,
    FINISHED,
    PARKED,
    commands,
    engines,
    executions,
    processes,
    records,
    snapshots,
)

__all__ = ["Statements", "upserting"]

_CREATED = ("next", "ended", "standing", "owner")


def upserting(dialect: Dialect) -> Any:
    """The dialect's own ``insert``, which knows what to do about rows that are there."""
    return postgresql.insert if dialect.name == "postgresql" else sqlite.insert


class Statements:
    """Their texts, for one dialect and either a registered engine or nobody."""

    def __init__(self, dialect: Dialect, registered: bool) -> None:
        def text(statement: ClauseElement, *keys: str) -> str:
            return str(statement.compile(dialect=dialect, column_keys=list(keys) or None))

        p, owner = processes.c, processes.c.owner
        mine = owner == bindparam("b_owner") if registered else owner.is_(null())
        here = processes.update().where(p.id == bindparam("b_id"), p.next == bindparam("b_first"), mine)
        names = [column.name for column in COLUMNS]
        self.create = text(processes.insert().inline(), *names, *_CREATED)
        self.advance = text(
            here.values(
                next=bindparam("b_next"), due=null(), standing=case((p.standing == PARKED, ACTIVE), else_=p.standing)
            )
        )
        self.change = text(
            here.values(
                {
                    **{name: bindparam(name) for name in names if name != "id"},
                    "next": bindparam("b_next"),
                    "ended": bindparam("ended"),
                    "standing": bindparam("standing"),
                    "due": null(),
                }
            )
        )
        self.record = text(records.insert().inline(), "process_id", "first", "last", "at", "events")
        insert = upserting(dialect)(executions)
        self.execution = text(
            insert.on_conflict_do_update(
                index_elements=["process_id", "id"], set_={"data": insert.excluded.data}
            ).inline(),
            "process_id", "id", "data",
        )  # fmt: skip
        c = commands.c
        self.answer = text(
            commands.update()
            .where(c.id == bindparam("b_id"), c.answer.is_(null()))
            .values(answer=bindparam("b_answer"))
        )
        self.stored = text(
            select(records.c.last, records.c.at, records.c.events).where(
                records.c.process_id == bindparam("b_id"), records.c.first == bindparam("b_first")
            )
        )
        # The condition is that of the index: without it each end of a process would go through all there are.
        self.last_ended = text(
            select(func.coalesce(func.max(p.ended), literal_column("0"))).where(p.ended.is_not(null()))
        )
        self.renew = text(
            engines.update().where(engines.c.id == bindparam("b_id")).values(lease_until=bindparam("b_until"))
        )
        root = processes.alias("root")
        under_way = select(root.c.id).where(root.c.id == p.root_id, root.c.standing != FINISHED).exists()
        self.surplus = text(
            select(p.id)
            .where(p.ended.is_not(null()), p.standing == FINISHED, ~under_way)
            .order_by(p.ended.desc())
            .limit(bindparam("b_limit"))
            .offset(bindparam("b_offset"))
        )
        self.delete = tuple(
            text(table.delete().where(column == bindparam("b_id")))
            for table, column in (
                (records, records.c.process_id),
                (snapshots, snapshots.c.process_id),
                (executions, executions.c.process_id),
                (commands, commands.c.process_id),
                (processes, processes.c.id),
            )
        )
