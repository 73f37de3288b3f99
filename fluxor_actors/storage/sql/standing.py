"""Who looks after a process, and what it was told and has not answered."""

from __future__ import annotations

from sqlalchemy import Connection, select

from fluxor_actors.clock import Clock
from fluxor_actors.storage.durable import Command, EngineIdentity, Standing
from fluxor_actors.storage.sql.link import Link
from fluxor_actors.storage.sql.liveness import known_dead
from fluxor_actors.storage.sql.tables import commands, engines, processes

__all__ = ["Standings"]


class Standings:
    """Looks, and changes nothing."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock

    def of(self, process_id: str) -> Standing | None:
        """See `DurableStore.standing`."""
        c = commands.c
        open_ = (
            select(c.id, c.process_id, c.name, c.payload, c.created_at)
            .where(c.process_id == process_id, c.answer.is_(None))
            .order_by(c.position)
        )

        def work(connection: Connection) -> Standing | None:
            # Whether it is parked is compared here: the condition need not be served by an index.
            row = connection.execute(
                select(processes.c.owner, processes.c.standing).where(processes.c.id == process_id)
            ).first()
            if row is None:
                return None
            living, owner = 0, None
            for id_, host, boot, pid, started, until in connection.execute(select(engines)):
                identity = EngineIdentity(id_, host, boot, pid, started)
                alive = until > self._clock.time() and not known_dead(identity)
                living += alive
                if id_ == row.owner:
                    owner = (identity, alive)
            return Standing(
                owner=row.owner,
                identity=None if owner is None else owner[0],
                alive=owner is not None and owner[1],
                parked=row.standing == _PARKED,
                engines=living,
                commands=tuple(Command(*each) for each in connection.execute(open_)),
            )

        return self._link.read(work, frozen=True)


_PARKED = 1
