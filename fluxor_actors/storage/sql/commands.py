"""Commands from other programs, and their answers."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, or_, select

from fluxor_actors.errors import ProcessNotFoundError
from fluxor_actors.storage.durable import Command
from fluxor_actors.storage.sql.engines import Engines, nobodys, take
from fluxor_actors.storage.sql.link import Link
from fluxor_actors.storage.sql.statements import upserting
from fluxor_actors.storage.sql.tables import commands, engines, processes

__all__ = ["Commands"]

_TAKEN = commands.update().where(commands.c.id == bindparam("b_id")).values(taken_by=bindparam("b_engine"))


class Commands:
    """A box of letters, one for all processes."""

    def __init__(self, link: Link, engines_: Engines) -> None:
        self._link = link
        self._engines = engines_
        self._put = upserting(link.engine.dialect)(commands).on_conflict_do_nothing(index_elements=["id"])

    def put(self, command: Command) -> None:
        """See `DurableStore.put_command`."""
        query = select(processes.c.id).where(processes.c.id == command.process_id)

        def work(connection: Connection) -> None:
            if connection.execute(query).first() is None:
                raise ProcessNotFoundError(command.process_id)
            connection.execute(
                self._put.values(
                    id=command.id, process_id=command.process_id, name=command.name, payload=command.payload,
                    created_at=command.created_at,
                )
            )  # fmt: skip
            self._link.backend.notify(connection)

        self._link.write(work)

    def take(self, engine: str, limit: int, *, own: bool = False) -> list[Command]:
        """See `DurableStore.take_commands`."""
        c = commands.c
        open_ = select(c.id, c.process_id, c.name, c.payload, c.created_at).where(c.answer.is_(None))
        query = (
            open_.join(processes, processes.c.id == c.process_id)
            .where(
                or_(c.taken_by.is_(None), c.taken_by.not_in(select(engines.c.id))),
                processes.c.owner == engine if own else or_(processes.c.owner == engine, nobodys()),
            )
            .order_by(c.position)
            .limit(limit)
        )

        def work(connection: Connection) -> list[Command]:
            self._engines.strike(connection, engine)
            taken = [Command(*row) for row in connection.execute(query)]
            if taken:
                take(connection, engine, sorted({each.process_id for each in taken}))
                connection.execute(_TAKEN, [{"b_id": each.id, "b_engine": engine} for each in taken])
            return taken

        # Looked for without a lock first: mostly there is nothing, or only what this engine has taken already.
        waiting = open_.where(or_(c.taken_by.is_(None), c.taken_by != engine)).limit(1)
        if self._link.read(lambda connection: connection.execute(waiting).first()) is None:
            return []
        return self._link.write(work)

    def answer(self, command_id: str, answer: str) -> None:
        """See `DurableStore.answer_command`."""
        statement = (
            commands.update().where(commands.c.id == command_id, commands.c.answer.is_(None)).values(answer=answer)
        )

        def work(connection: Connection) -> None:
            connection.execute(statement)
            self._link.backend.notify(connection)

        self._link.write(work)

    def answer_to(self, command_id: str) -> str | None:
        """See `DurableStore.command_answer`."""
        query = select(commands.c.answer).where(commands.c.id == command_id)
        return self._link.read(lambda connection: connection.execute(query).scalar())
