"""How the tables came to be, version by version. What stands here is never changed, only added to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Connection, func, inspect, select

from fluxor_actors.errors import SchemaVersionError
from fluxor_actors.storage.sql.tables import schema

__all__ = ["MIGRATIONS", "Words", "check_version", "migrate", "version_of"]


class Words(Protocol):
    """What the databases say differently when tables are made."""

    #: a whole number that the database counts up itself, as the primary key
    counted: str
    #: the type of bytes
    binary: str

    def lock_schema(self, connection: Connection) -> None:
        """Keep all others from migrating until the transaction ends."""
        ...

    def lock_owners(self, connection: Connection) -> None:
        """Keep all others from changing who owns what until the transaction ends."""
        ...


MIGRATIONS: Sequence[Sequence[str]] = (
    # 1: journals
    (
        "CREATE TABLE fluxor_schema (version INTEGER NOT NULL PRIMARY KEY, migrated_at DOUBLE PRECISION NOT NULL)",
        """CREATE TABLE fluxor_processes (
            position {counted}, id TEXT NOT NULL UNIQUE, workflow TEXT NOT NULL, version TEXT NOT NULL,
            definition_hash TEXT NOT NULL, state TEXT NOT NULL, sequence BIGINT NOT NULL, created_at DOUBLE PRECISION NOT NULL,
            updated_at DOUBLE PRECISION NOT NULL, finished_at DOUBLE PRECISION, parent_id TEXT, root_id TEXT NOT NULL,
            labels TEXT NOT NULL, next BIGINT NOT NULL, ended BIGINT)""",
        "CREATE INDEX fluxor_processes_state ON fluxor_processes (state, position)",
        "CREATE INDEX fluxor_processes_parent ON fluxor_processes (parent_id, position) WHERE parent_id IS NOT NULL",
        "CREATE INDEX fluxor_processes_ended ON fluxor_processes (ended) WHERE ended IS NOT NULL",
        """CREATE TABLE fluxor_records (
            process_id TEXT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, at DOUBLE PRECISION NOT NULL, events TEXT NOT NULL,
            PRIMARY KEY (process_id, first))""",
        "CREATE TABLE fluxor_definitions (hash TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL, unused_since DOUBLE PRECISION)",
    ),
    # 2: several engines, parked processes, commands from other programs
    (
        "ALTER TABLE fluxor_processes ADD COLUMN standing SMALLINT NOT NULL DEFAULT 0",
        "UPDATE fluxor_processes SET standing = 2 WHERE ended IS NOT NULL",
        "ALTER TABLE fluxor_processes ADD COLUMN owner TEXT",
        "ALTER TABLE fluxor_processes ADD COLUMN due DOUBLE PRECISION",
        "CREATE INDEX fluxor_processes_active ON fluxor_processes (owner, position) WHERE standing = 0",
        "CREATE INDEX fluxor_processes_due ON fluxor_processes (due) WHERE due IS NOT NULL",
        """CREATE TABLE fluxor_engines (
            id TEXT NOT NULL PRIMARY KEY, host TEXT NOT NULL, boot TEXT NOT NULL, pid BIGINT NOT NULL, started TEXT NOT NULL,
            lease_until DOUBLE PRECISION NOT NULL)""",
        "CREATE TABLE fluxor_snapshots (process_id TEXT NOT NULL PRIMARY KEY, sequence BIGINT NOT NULL, data {binary} NOT NULL)",
        """CREATE TABLE fluxor_executions (
            position {counted}, process_id TEXT NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (process_id, id))""",
        """CREATE TABLE fluxor_commands (
            position {counted}, id TEXT NOT NULL UNIQUE, process_id TEXT NOT NULL, name TEXT NOT NULL, payload TEXT NOT NULL,
            created_at DOUBLE PRECISION NOT NULL, taken_by TEXT, answer TEXT)""",
        "CREATE INDEX fluxor_commands_open ON fluxor_commands (position) WHERE answer IS NULL",
        "CREATE INDEX fluxor_commands_process ON fluxor_commands (process_id)",
    ),
    # 3: ended executions stand for records that were dropped
    (
        "ALTER TABLE fluxor_executions ADD COLUMN repeated SMALLINT NOT NULL DEFAULT 0",
        "CREATE INDEX fluxor_executions_order ON fluxor_executions (process_id, position)",
        "CREATE INDEX fluxor_executions_repeated ON fluxor_executions (process_id, position) WHERE repeated = 1",
    ),
    # 4: approval requests
    (
        """CREATE TABLE fluxor_approvals (
            position {counted}, id TEXT NOT NULL UNIQUE, process_id TEXT NOT NULL, action TEXT NOT NULL, pending SMALLINT NOT NULL,
            created_at DOUBLE PRECISION NOT NULL, data TEXT NOT NULL)""",
        "CREATE INDEX fluxor_approvals_pending ON fluxor_approvals (position) WHERE pending = 1",
        "CREATE INDEX fluxor_approvals_process ON fluxor_approvals (process_id, position)",
    ),
)
"""The statements that lead to each version, the first to version 1."""


def version_of(connection: Connection) -> int:
    """The version of the tables that are there; 0 when there are none."""
    if not inspect(connection).has_table(schema.name):
        return 0
    return connection.execute(select(func.max(schema.c.version))).scalar_one() or 0


def check_version(connection: Connection, newest: int) -> int:
    """The version of the tables that are there.

    Raises:
        SchemaVersionError: it is newer than ``newest``.
    """
    found = version_of(connection)
    if found > newest:
        raise SchemaVersionError(
            f"{connection.engine.url!r} has tables of version {found}, and this program knows versions up to {newest}: "
            "a newer release of fluxor-actors has written it; use that release or a newer one"
        )
    return found


def migrate(
    connection: Connection,
    words: Words,
    clock: Callable[[], float],
    migrations: Sequence[Sequence[str]] = MIGRATIONS,
) -> None:
    """Bring the tables to the newest version, in the transaction that the connection is in: all or nothing, by one at a time.

    Raises:
        SchemaVersionError: they are newer.
    """
    words.lock_schema(connection)
    for version in range(check_version(connection, len(migrations)) + 1, len(migrations) + 1):
        for statement in migrations[version - 1]:
            connection.exec_driver_sql(statement.format(counted=words.counted, binary=words.binary))
        connection.execute(schema.insert().values(version=version, migrated_at=clock()))
