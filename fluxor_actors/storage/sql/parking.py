"""Snapshots, and processes that are left to the store."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from fluxor_actors.clock import Clock
from fluxor_actors.errors import OwnershipLostError
from fluxor_actors.storage.durable import Parked
from fluxor_actors.storage.sql.appending import execution_rows
from fluxor_actors.storage.sql.engines import Engines
from fluxor_actors.storage.sql.link import Link
from fluxor_actors.storage.sql.statements import DROP, FORGET, ended_executions, saving
from fluxor_actors.storage.sql.tables import ACTIVE, FINISHED, PARKED, processes

__all__ = ["Parking"]

_PAGE = 500

_PARK = processes.update().where(processes.c.id == bindparam("b_id")).values(standing=PARKED, due=bindparam("b_due"))


class Parking:
    """Keeps states, and processes with nothing in flight."""

    def __init__(self, link: Link, engines: Engines, clock: Clock) -> None:
        self._link = link
        self._engines = engines
        self._clock = clock
        self._save = saving(link.engine.dialect)
        self._execution = ended_executions(link.engine.dialect)

    def park(self, engine: str, parked: Sequence[Parked]) -> list[str]:
        """See `DurableStore.park`."""
        done: list[str] = []
        for start in range(0, len(parked), _PAGE):
            work = partial(self._park, engine=engine, parked=parked[start : start + _PAGE])
            done += self._link.write(work)
        return done

    def _park(self, connection: Connection, engine: str, parked: Sequence[Parked]) -> list[str]:
        query = (
            select(processes.c.id, processes.c.next)
            .where(
                processes.c.id.in_([each.process_id for each in parked]),
                processes.c.owner == engine,
                processes.c.standing == ACTIVE,
            )
            .with_for_update()
        )
        following: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
        fit = [each for each in parked if following.get(each.process_id) == each.sequence + 1]
        if not fit:
            return []
        over = self._over(connection, [child for each in fit for child in each.children])
        now = self._clock.time()
        connection.execute(
            _PARK,
            [{"b_id": each.process_id, "b_due": each.due if over.isdisjoint(each.children) else now} for each in fit],
        )
        rows = [row for each in fit for row in execution_rows(each.process_id, each.executions)]
        if rows:
            connection.execute(self._execution, rows)
        self._keep(
            connection,
            [
                {"process_id": each.process_id, "sequence": each.sequence, "data": each.snapshot}
                for each in fit
                if each.snapshot is not None
            ],
            [{"b_id": each.process_id, "b_before": each.drop_before} for each in fit if each.drop_before],
        )
        keeps = [
            {"b_id": each.process_id, "b_keep": each.keep_repeated} for each in fit if each.keep_repeated is not None
        ]
        if keeps:
            connection.execute(FORGET, keeps)
        return [each.process_id for each in fit]

    def _over(self, connection: Connection, children: Sequence[str]) -> set[str]:
        """Those that are finished, or that there are none of."""
        if not children:
            return set()
        query = select(processes.c.id).where(processes.c.id.in_(children), processes.c.standing != FINISHED)
        return set(children) - set(connection.execute(query).scalars())

    def count(self) -> int:
        """How many processes are parked, whoever has owned them. It looks at all of them: for those who look now and then."""
        query = select(func.count()).select_from(processes).where(processes.c.standing == PARKED)
        return int(self._link.read(lambda connection: connection.execute(query).scalar_one()))

    def save(self, process_id: str, sequence: int, data: bytes, drop_before: int) -> None:
        """See `DurableStore.save_snapshot`."""
        owner = self._engines.current
        query = select(processes.c.id).where(processes.c.id == process_id, processes.c.next > sequence)
        if owner is not None:
            query = query.where(processes.c.owner == owner)

        def work(connection: Connection) -> None:
            if connection.execute(query.with_for_update()).first() is None:
                raise OwnershipLostError(
                    f"no snapshot of process {process_id} after event {sequence}: "
                    "that event was never committed, or the process is somebody else's or was deleted"
                )
            row = {"process_id": process_id, "sequence": sequence, "data": data}
            self._keep(connection, [row], [{"b_id": process_id, "b_before": drop_before}] if drop_before else [])

        self._link.write(work)

    def _keep(self, connection: Connection, rows: list[dict[str, Any]], drops: list[dict[str, Any]]) -> None:
        if rows:
            connection.execute(self._save, rows)
        if drops:
            connection.execute(DROP, drops)
