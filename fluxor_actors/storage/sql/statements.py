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
    approvals,
    commands,
    engines,
    executions,
    processes,
    records,
    snapshots,
)

__all__ = ["DROP", "FORGET", "Statements", "ended_executions", "saving", "upserting"]

_CREATED = ("next", "ended", "standing", "owner")


def upserting(dialect: Dialect) -> Any:
    """The dialect's own ``insert``, which knows what to do about rows that are there."""
    return postgresql.insert if dialect.name == "postgresql" else sqlite.insert


DROP = records.delete().where(
    records.c.process_id == bindparam("b_id"),
    records.c.last < bindparam("b_before"),
    # What is needed to go on from the snapshot stays; so does everything when there is none.
    records.c.last <= select(snapshots.c.sequence).where(snapshots.c.process_id == bindparam("b_id")).scalar_subquery(),
)
"""Drops records before a number."""

_oldest = executions.alias("oldest")
FORGET = executions.delete().where(
    executions.c.process_id == bindparam("b_id"),
    executions.c.repeated == literal_column("1"),
    executions.c.position
    <= select(_oldest.c.position)
    .where(_oldest.c.process_id == bindparam("b_id"), _oldest.c.repeated == literal_column("1"))
    .order_by(_oldest.c.position.desc())
    .limit(literal_column("1"))
    .offset(bindparam("b_keep"))
    .scalar_subquery(),
)
"""Forgets repeated executions, but for the last ones."""


def saving(dialect: Dialect) -> Any:
    """The statement that keeps a snapshot, unless there is a newer one."""
    insert = upserting(dialect)(snapshots)
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["process_id"],
        set_={"sequence": new.sequence, "data": new.data},
        where=new.sequence >= snapshots.c.sequence,
    )


def ended_executions(dialect: Dialect) -> Any:
    """The statement that keeps an ended execution, in place of what there was of it."""
    insert = upserting(dialect)(executions)
    return insert.on_conflict_do_update(index_elements=["process_id", "id"], set_={"data": insert.excluded.data})


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
        self.execution = text(ended_executions(dialect).inline(), "process_id", "id", "data", "repeated")
        self.snapshot = text(saving(dialect).inline(), "process_id", "sequence", "data")
        self.drop = text(DROP)
        self.forget = text(FORGET)
        # Whoever is about to be parked waits for it: the one or the other sees that the sub-workflow has ended.
        self.wake = text(
            processes.update()
            .where(p.id == bindparam("b_id"), p.standing != FINISHED)
            .values(due=case((p.standing == PARKED, bindparam("b_now")), else_=p.due))
        )
        insert = upserting(dialect)(approvals)
        self.approval = text(
            insert.on_conflict_do_update(
                index_elements=["id"], set_={"pending": insert.excluded.pending, "data": insert.excluded.data}
            ).inline(),
            "id", "process_id", "action", "pending", "created_at", "data",
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
                (approvals, approvals.c.process_id),
                (commands, commands.c.process_id),
                (processes, processes.c.id),
            )
        )
