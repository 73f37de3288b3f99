"""The store in an SQL database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fluxor_actors.clock import Clock, SystemClock
from fluxor_actors.errors import StoreError
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage.durable import (
    Command,
    DurableJournal,
    EndedExecution,
    EngineIdentity,
    Parked,
    Pruned,
    Standing,
)
from fluxor_actors.storage.sql.approvals import Approvals
from fluxor_actors.storage.sql.backend import RELAXED, STRICT, Backend, parse_url
from fluxor_actors.storage.sql.codec import Codec, JsonCodec
from fluxor_actors.storage.sql.commands import Commands
from fluxor_actors.storage.sql.engines import Engines
from fluxor_actors.storage.sql.headers import Headers
from fluxor_actors.storage.sql.link import Link
from fluxor_actors.storage.sql.migrations import MIGRATIONS, check_version, migrate
from fluxor_actors.storage.sql.parking import Parking
from fluxor_actors.storage.sql.postgres import PostgresBackend
from fluxor_actors.storage.sql.pruning import Pruning
from fluxor_actors.storage.sql.reading import Reading
from fluxor_actors.storage.sql.sqlite import SqliteBackend
from fluxor_actors.storage.sql.standing import Standings
from fluxor_actors.storage.sql.writing import Writing
from fluxor_actors.storage.store import Append, ApprovalRecord, Header, Record

__all__ = ["SqlStore"]


class SqlStore:
    """Keeps journals in SQLite or PostgreSQL. See `DurableStore` for what its methods do.

    Opening it makes or migrates the tables, under a lock, unless they are of a newer version. It holds one connection that writes,
    some that read, and one that listens once `changed` was called. It does not outlive a fork: a child opens its own.

    Args:
        url: ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or ``postgresql://user@host/database``.
        codec: how events become text; default: JSON.
        durability: "strict": what is committed is on disk; "relaxed": it survives the end of the program, not of the machine.
        clock: tells when leases end. Programs on several hosts need clocks that agree to within a small part of a lease.
        retain: how many finished processes are kept, those that finished last; None: all, until `prune`.
        busy_timeout: how many seconds to wait for others that write to the same file, or for the server to let one in.
        pragmas: settings of SQLite for each connection.
        pool_size: how many may read at once; as many again are let in for a while.

    Raises:
        SchemaVersionError: a newer release has written it.
        StoreUnavailableError: it cannot be reached at present.
        StoreError: the URL is not one of a store, or what is there is not a database.
    """

    immediate = False

    def __init__(
        self,
        url: str,
        *,
        codec: Codec | None = None,
        durability: str = STRICT,
        clock: Clock | None = None,
        retain: int | None = None,
        busy_timeout: float = 5.0,
        pragmas: Mapping[str, int | str] | None = None,
        pool_size: int = 4,
    ) -> None:
        if durability not in (STRICT, RELAXED):
            raise StoreError(f"durability {durability!r} is not known; expected {STRICT!r} or {RELAXED!r}")
        parts = parse_url(url)
        self._backend: Backend
        if parts.get_backend_name() == "sqlite":
            self._backend = SqliteBackend(parts, durability, busy_timeout, pragmas or {}, pool_size)
        elif parts.get_backend_name() == "postgresql":
            self._backend = PostgresBackend(parts, durability, busy_timeout, pool_size)
        else:
            raise StoreError(f"{parts} is of no known kind; expected sqlite:///… or postgresql://…")
        clock = clock or SystemClock()
        codec = codec or JsonCodec()
        self._backend.check()
        self._link = Link(self._backend)
        try:
            self._set_up(clock)
        except BaseException:
            self._link.close()
            raise
        self._engines = Engines(self._link, clock)
        self._headers = Headers(self._link)
        self._approvals = Approvals(self._link)
        self._reading = Reading(self._link, codec)
        self._writing = Writing(self._link, codec, self._engines, retain, clock)
        self._parking = Parking(self._link, self._engines, clock)
        self._commands = Commands(self._link, self._engines)
        self._pruning = Pruning(self._link, clock)
        self._standings = Standings(self._link, clock)

    def _set_up(self, clock: Clock) -> None:
        newest = len(MIGRATIONS)
        # Looked at before anything is changed.
        found = self._link.read(lambda connection: check_version(connection, newest), frozen=True)
        self._backend.prepare(self._link.open())
        if found < newest:
            self._link.write(lambda connection: migrate(connection, self._backend, clock.time))

    # Journals -----------------------------------------------------------------------------------------------------------

    def append(self, batch: Sequence[Append]) -> None:
        self._writing.append(batch)

    def read(self, process_id: str) -> DurableJournal | None:
        found = self._reading.journals([process_id])
        return found[0] if found else None

    def read_many(self, process_ids: Sequence[str]) -> list[DurableJournal]:
        return self._reading.journals(process_ids)

    def history(self, process_id: str, after: int = 0) -> Iterator[Record]:
        return self._reading.history(process_id, after)

    def executions(self, process_id: str, ids: Sequence[str] | None = None) -> Iterator[EndedExecution]:
        return self._reading.executions(process_id, ids)

    def header(self, process_id: str) -> Header | None:
        return self._headers.one(process_id)

    def headers_of(self, process_ids: Sequence[str]) -> list[Header]:
        return self._headers.many(process_ids)

    def headers(
        self,
        *,
        state: ProcessState | None = None,
        workflow: str | None = None,
        parent_id: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Header]:
        return self._headers.find(state, workflow, parent_id, after, limit)

    def approvals(
        self,
        *,
        process_id: str | None = None,
        action: str | None = None,
        pending: bool | None = True,
        after: str | None = None,
        limit: int | None = None,
    ) -> Iterator[ApprovalRecord]:
        return self._approvals.find(process_id, action, pending, after, limit)

    def approval(self, request_id: str) -> ApprovalRecord | None:
        return self._approvals.one(request_id)

    def put_definition(self, content_hash: str, text: str) -> None:
        self._pruning.put_definition(content_hash, text)

    def definition(self, content_hash: str) -> str | None:
        return self._reading.definition(content_hash)

    # Engines ------------------------------------------------------------------------------------------------------------

    def register_engine(self, identity: EngineIdentity, lease: float) -> None:
        self._engines.register(identity, lease)

    def renew(self, engine: str) -> bool:
        return self._engines.renew(engine)

    def release(self, engine: str) -> None:
        self._engines.release(engine)

    def claim(self, engine: str, limit: int) -> list[str]:
        return self._engines.claim(engine, limit)

    def acquire(self, engine: str, process_id: str) -> bool:
        return self._engines.acquire(engine, process_id)

    def owner_of(self, process_id: str) -> str | None:
        return self._engines.owner_of(process_id)

    def standing(self, process_id: str) -> Standing | None:
        return self._standings.of(process_id)

    # Parked processes ---------------------------------------------------------------------------------------------------

    def park(self, engine: str, parked: Sequence[Parked]) -> list[str]:
        return self._parking.park(engine, parked)

    def parked(self) -> int:
        """How many processes are left to the store, by all engines. It looks at all of them: for those who look now and then."""
        return self._parking.count()

    def due(self, engine: str, now: float, limit: int, *, own: bool = False) -> list[str]:
        return self._engines.due(engine, now, limit, own=own)

    def next_due(self, engine: str, *, own: bool = False) -> float | None:
        return self._engines.next_due(engine, own=own)

    def save_snapshot(self, process_id: str, sequence: int, data: bytes, *, drop_before: int = 0) -> None:
        self._parking.save(process_id, sequence, data, drop_before)

    # Commands -----------------------------------------------------------------------------------------------------------

    def put_command(self, command: Command) -> None:
        self._commands.put(command)

    def take_commands(self, engine: str, limit: int, *, own: bool = False) -> list[Command]:
        return self._commands.take(engine, limit, own=own)

    def answer_command(self, command_id: str, answer: str) -> None:
        self._commands.answer(command_id, answer)

    def command_answer(self, command_id: str) -> str | None:
        return self._commands.answer_to(command_id)

    def changed(self) -> int:
        return self._backend.changed()

    def wait_for_change(self, known: int, timeout: float) -> int:
        return self._backend.wait_for_change(known, timeout)

    # Upkeep -------------------------------------------------------------------------------------------------------------

    def delete(self, process_id: str) -> None:
        self._pruning.delete(process_id)

    def prune(self, *, before: float | None = None, keep: int | None = None, dry_run: bool = False) -> Pruned:
        return self._pruning.prune(before, keep, dry_run)

    def backup(self, path: str) -> None:
        self._backend.backup(path)

    def close(self) -> None:
        self._link.close()
