"""The tables as they are now. How they came to be is in `migrations`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    literal_column,
)

__all__ = [
    "ACTIVE",
    "FINISHED",
    "PARKED",
    "WAITING",
    "approvals",
    "commands",
    "definitions",
    "engines",
    "executions",
    "metadata",
    "processes",
    "records",
    "schema",
    "snapshots",
]

# Literals, not parameters: an index on part of a table serves a query only if the condition stands in its text.
ACTIVE: Final = literal_column("0", SmallInteger)
"""Not finished, and some engine has something to do for it."""
PARKED: Final = literal_column("1", SmallInteger)
"""Not finished, and nobody has anything to do before it is due or wanted."""
FINISHED: Final = literal_column("2", SmallInteger)

WAITING: Final = literal_column("1", SmallInteger)
"""Of an approval request: nobody has answered it."""

metadata = MetaData()
_Number = BigInteger().with_variant(Integer, "sqlite")

schema = Table("fluxor_schema", metadata, Column("version", Integer, primary_key=True), Column("migrated_at", Double))

processes = Table(
    "fluxor_processes",
    metadata,
    Column("position", _Number, primary_key=True),
    Column("id", Text),
    Column("workflow", Text),
    Column("version", Text),
    Column("definition_hash", Text),
    Column("state", Text),
    Column("sequence", BigInteger),
    Column("created_at", Double),
    Column("updated_at", Double),
    Column("finished_at", Double),
    Column("parent_id", Text),
    Column("root_id", Text),
    Column("labels", Text),
    # The number of the event that is to be written next.
    Column("next", BigInteger),
    # Orders the finished by when they finished.
    Column("ended", BigInteger),
    Column("standing", SmallInteger),
    Column("owner", Text),
    Column("due", Double),
)

records = Table(
    "fluxor_records",
    metadata,
    Column("process_id", Text, primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger),
    Column("at", Double),
    Column("events", Text),
)

definitions = Table(
    "fluxor_definitions",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("text", Text),
    Column("unused_since", Double),
)

snapshots = Table(
    "fluxor_snapshots",
    metadata,
    Column("process_id", Text, primary_key=True),
    Column("sequence", BigInteger),
    Column("data", LargeBinary),
)

executions = Table(
    "fluxor_executions",
    metadata,
    Column("position", _Number, primary_key=True),
    Column("process_id", Text),
    Column("id", Text),
    Column("data", Text),
    # 1: one of many that a loop makes, and may be forgotten.
    Column("repeated", SmallInteger),
)

engines = Table(
    "fluxor_engines",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text),
    Column("boot", Text),
    Column("pid", BigInteger),
    Column("started", Text),
    Column("lease_until", Double),
)

commands = Table(
    "fluxor_commands",
    metadata,
    Column("position", _Number, primary_key=True),
    Column("id", Text),
    Column("process_id", Text),
    Column("name", Text),
    Column("payload", Text),
    Column("created_at", Double),
    Column("taken_by", Text),
    Column("answer", Text),
)

approvals = Table(
    "fluxor_approvals",
    metadata,
    Column("position", _Number, primary_key=True),
    Column("id", Text),
    Column("process_id", Text),
    Column("action", Text),
    Column("pending", SmallInteger),
    Column("created_at", Double),
    Column("data", Text),
)
