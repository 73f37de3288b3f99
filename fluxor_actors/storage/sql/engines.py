"""Engines and their leases, and which of them owns what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, literal_column, null, or_, select
from sqlalchemy.sql.expression import ColumnElement

from fluxor_actors.clock import Clock
from fluxor_actors.errors import OwnershipLostError, StoreError
from fluxor_actors.storage.durable import EngineIdentity
from fluxor_actors.storage.sql.link import Link
from fluxor_actors.storage.sql.liveness import known_dead
from fluxor_actors.storage.sql.tables import ACTIVE, PARKED, engines, processes

__all__ = ["Engines", "nobodys", "take"]


def nobodys() -> ColumnElement[bool]:
    """Whether no engine that is listed owns a process."""
    owner = processes.c.owner
    return or_(owner.is_(null()), owner.not_in(select(engines.c.id)))


class Engines:
    """Keeps the list of engines. One that is not listed is dead; who finds a lease over, or a program dead, strikes it off."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._lease = 0.0
        self._until = 0.0
        self._renewing: float | None = None
        self.current: str | None = None
        """The engine that this store was registered for."""

    # Leases -------------------------------------------------------------------------------------------------------------

    def register(self, identity: EngineIdentity, lease: float) -> None:
        """See `DurableStore.register_engine`."""
        if self.current not in (None, identity.id):
            raise StoreError(
                f"the store is used by engine {self.current} already, and cannot be by {identity.id}: open one for each"
            )
        until = self._clock.time() + lease
        row = {
            "host": identity.host, "boot": identity.boot, "pid": identity.pid, "started": identity.started, "lease_until": until,
        }  # fmt: skip

        def work(connection: Connection) -> None:
            self._link.backend.lock_owners(connection)
            if not connection.execute(engines.update().where(engines.c.id == identity.id).values(row)).rowcount:
                connection.execute(engines.insert().values(id=identity.id, **row))

        self._link.write(work)
        self._lease, self._until, self.current = lease, until, identity.id

    def renew(self, engine: str) -> bool:
        """See `DurableStore.renew`."""
        until = self._clock.time() + self._lease
        statement = engines.update().where(engines.c.id == engine).values(lease_until=until)
        renewed = self._link.write(lambda connection: connection.execute(statement).rowcount == 1)
        if renewed and engine == self.current:
            self._until = until
        return renewed

    def stay_alive(self, driver: Any, statement: str) -> None:
        """Renew a lease that is over, as part of a transaction that writes; `stayed_alive` has to follow its commit.

        Raises:
            OwnershipLostError: others have declared the engine dead.
        """
        now = self._clock.time()
        if now < self._until:
            return
        until = now + self._lease
        if driver.execute(statement, {"b_id": self.current, "b_until": until}).rowcount != 1:
            raise OwnershipLostError(
                f"engine {self.current} was declared dead after its lease had ended: its processes go on elsewhere, "
                "and it has to stop"
            )
        self._renewing = until

    def stayed_alive(self) -> None:
        """What `stay_alive` did is committed."""
        if self._renewing is not None:
            self._until, self._renewing = max(self._until, self._renewing), None

    def release(self, engine: str) -> None:
        """See `DurableStore.release`."""

        def work(connection: Connection) -> None:
            connection.execute(engines.delete().where(engines.c.id == engine))
            # Who waits for a change hears of it, the engine's own thread too.
            self._link.backend.notify(connection)

        self._link.write(work)
        if engine == self.current:
            self.current = None

    # Owners -------------------------------------------------------------------------------------------------------------

    def _dead(self, connection: Connection) -> list[tuple[str, float]]:
        """Engines of the list that are dead, and when their leases end."""
        now = self._clock.time()
        found = []
        for id_, host, boot, pid, started, until in connection.execute(select(engines)):
            if id_ != self.current and (until <= now or known_dead(EngineIdentity(id_, host, boot, pid, started))):
                found.append((id_, until))
        return found

    def strike(self, connection: Connection, engine: str) -> None:
        """Take the dead off the list for this engine, and keep all others from changing owners until the transaction ends.

        Raises:
            OwnershipLostError: the engine itself is not on the list.
        """
        self._link.backend.lock_owners(connection)
        for id_, until in self._dead(connection):
            # Not one that has just been renewed.
            connection.execute(delete(engines).where(engines.c.id == id_, engines.c.lease_until == until))
        if connection.execute(select(engines.c.id).where(engines.c.id == engine)).first() is None:
            raise OwnershipLostError(
                f"engine {engine} is not registered, or was declared dead after its lease had ended: it owns nothing"
            )

    def claim(self, engine: str, limit: int) -> list[str]:
        """See `DurableStore.claim`."""
        # Ordered by an expression: by the column, SQLite would go through all processes in that order, and not through the active ones.
        oldest = processes.c.position + literal_column("0")
        query = select(processes.c.id).where(processes.c.standing == ACTIVE, nobodys()).order_by(oldest)

        def nothing(connection: Connection) -> bool:
            return not self._dead(connection) and connection.execute(query.limit(1)).first() is None

        def work(connection: Connection) -> list[str]:
            self.strike(connection, engine)
            claimed = list(connection.execute(query.limit(limit)).scalars())
            take(connection, engine, claimed)
            return claimed

        return [] if self._link.read(nothing, frozen=True) else self._link.write(work)

    def acquire(self, engine: str, process_id: str) -> bool:
        """See `DurableStore.acquire`."""
        query = select(processes.c.id).where(processes.c.id == process_id, or_(processes.c.owner == engine, nobodys()))

        def work(connection: Connection) -> bool:
            self.strike(connection, engine)
            found = list(connection.execute(query).scalars())
            take(connection, engine, found)
            return bool(found)

        return self._link.write(work)

    def owner_of(self, process_id: str) -> str | None:
        """See `DurableStore.owner_of`."""
        query = select(processes.c.owner).where(
            processes.c.id == process_id, processes.c.owner.in_(select(engines.c.id))
        )

        def work(connection: Connection) -> str | None:
            owner = connection.execute(query).scalar()
            return None if owner in {id_ for id_, _ in self._dead(connection)} else owner

        return self._link.read(work, frozen=True)

    # Due ----------------------------------------------------------------------------------------------------------------

    def due(self, engine: str, now: float, limit: int, *, own: bool = False) -> list[str]:
        """See `DurableStore.due`."""
        mine = processes.c.owner == engine
        query = (
            select(processes.c.id)
            .where(processes.c.due <= now, mine if own else or_(mine, nobodys()))
            .order_by(processes.c.due, processes.c.position)
            .limit(limit)
        )

        def work(connection: Connection) -> list[str]:
            self.strike(connection, engine)
            woken = list(connection.execute(query).scalars())
            take(connection, engine, woken)
            return woken

        return self._link.write(work)

    def next_due(self, engine: str, *, own: bool = False) -> float | None:
        """See `DurableStore.next_due`."""
        dead = "dead"
        owner = processes.c.owner

        def work(connection: Connection) -> float | None:
            query = select(processes.c.due).where(processes.c.due.is_not(null())).order_by(processes.c.due).limit(1)
            if own:
                return connection.execute(query.where(owner == engine)).scalar()
            struck = [id_ for id_, _ in self._dead(connection)]
            free = or_(owner == engine, nobodys(), owner.in_(bindparam(dead, expanding=True)))
            return connection.execute(query.where(free), {dead: struck}).scalar()

        return self._link.read(work, frozen=True)


_TAKE = (
    processes.update()
    .where(processes.c.id == bindparam("b_id"))
    .values(
        owner=bindparam("b_owner"),
        due=null(),
        standing=case((processes.c.standing == PARKED, ACTIVE), else_=processes.c.standing),
    )
)


def take(connection: Connection, engine: str, process_ids: list[str]) -> None:
    """Make the engine the owner of processes, and have them parked no more."""
    if process_ids:
        connection.execute(_TAKE, [{"b_id": process_id, "b_owner": engine} for process_id in process_ids])
