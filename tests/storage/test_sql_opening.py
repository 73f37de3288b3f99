"""Opening a store: migrations, what is refused, and what is left alone."""

from __future__ import annotations

import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import inspect, make_url
from sqlalchemy.exc import DBAPIError

from fluxor_actors.errors import SchemaVersionError, StoreError, StoreUnavailableError
from fluxor_actors.process.events import ProcessPaused, SignalReceived
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage.sql import SqlStore
from fluxor_actors.storage.sql.backend import Backend
from fluxor_actors.storage.sql.migrations import MIGRATIONS, migrate
from fluxor_actors.storage.sql.postgres import PostgresBackend
from fluxor_actors.storage.sql.sqlite import SqliteBackend
from fluxor_actors.storage.sql.tables import metadata, schema
from tests.storage.conftest import OpenSql
from tests.storage.contract import WAIT, begin, ids

DATA = Path(__file__).parent / "data"


def backend_of(url: str) -> Backend:
    parts = make_url(url)
    if parts.get_backend_name() == "postgresql":
        return PostgresBackend(parts, "strict", 5.0, 1)
    return SqliteBackend(parts, "strict", 5.0, {}, 1)


def test_the_tables_are_those_that_the_code_knows(open_sql: OpenSql) -> None:
    store = open_sql()
    with store._link.engine.connect() as connection:
        found = inspect(connection)
        for table in metadata.sorted_tables:
            assert {column["name"] for column in found.get_columns(table.name)} == set(table.columns.keys())
        assert set(found.get_table_names()) >= set(metadata.tables)


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.executescript((DATA / "schema_1.sql").read_text("utf-8"))
    old.close()
    store = SqlStore(f"sqlite:///{path}")
    try:
        assert ids(store) == ["going-on", "over"]
        journal = store.read("going-on")
        assert journal is not None
        assert dict(journal.header.labels) == {"team": "größe"}
        assert [list(record.events) for record in journal.records] == [
            [SignalReceived("s1", {"n": [1, 2.5, None]})],
            [ProcessPaused()],
        ]
        assert store.definition("hash") == "name: größe"
        assert store.prune(keep=0, dry_run=True).processes == 0, "what stands at its root is not finished"
        store.delete("going-on")
        assert store.prune(keep=0).processes == 1
    finally:
        store.close()


def test_tables_are_brought_up_to_date_version_by_version(url: str, open_sql: OpenSql) -> None:
    backend = backend_of(url)
    engine = backend.create()
    with engine.connect() as plain, (connection := backend.for_writing(plain)).begin():
        migrate(connection, backend, lambda: 1.0, MIGRATIONS[:1])
        assert not inspect(connection).has_table("fluxor_engines")
    engine.dispose()
    backend.close()
    store = open_sql()
    begin(store, "p")
    with store._link.engine.connect() as connection:
        assert list(connection.execute(schema.select().order_by(schema.c.version)).scalars()) == list(
            range(1, len(MIGRATIONS) + 1)
        )


def test_a_migration_that_fails_leaves_nothing(url: str) -> None:
    backend = backend_of(url)
    engine = backend.create()
    more = [*MIGRATIONS, ["CREATE TABLE fluxor_new (a INTEGER)", "nonsense"]]
    with pytest.raises(DBAPIError, match="nonsense"), engine.connect() as plain:
        connection = backend.for_writing(plain)
        with connection.begin():
            migrate(connection, backend, lambda: 1.0, more)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    engine.dispose()
    backend.close()


def test_a_newer_version_is_refused(open_sql: OpenSql) -> None:
    store = open_sql()
    begin(store, "p")
    with store._link.engine.begin() as connection:
        connection.execute(schema.insert().values(version=99, migrated_at=1.0))
    store.close()
    with pytest.raises(SchemaVersionError, match="version 99"):
        open_sql()


def test_many_may_open_it_for_the_first_time_at_once(open_sql: OpenSql) -> None:
    start = threading.Barrier(6)

    def first(number: int) -> None:
        start.wait(WAIT)
        begin(open_sql(), f"p{number}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(first, range(6)))
    assert sorted(ids(open_sql())) == [f"p{number}" for number in range(6)]


@pytest.mark.parametrize("content", [b"name: order\ntasks: []\n", b"\0" * 8192, b"x"])
def test_a_file_that_is_not_a_database_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "order.yaml"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not an SQLite database"):
        SqlStore(f"sqlite:///{path}")
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    content = b"SQLite format 3\0" + b"garbage" * 1000
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        SqlStore(f"sqlite:///{path}")
    assert not isinstance(caught.value, StoreUnavailableError)
    assert path.read_bytes() == content


def test_tables_of_others_in_the_same_database_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE processes (id TEXT)")
        theirs.execute("INSERT INTO processes VALUES ('theirs')")
    store = SqlStore(f"sqlite:///{path}")
    begin(store, "p")
    store.close()
    assert theirs.execute("SELECT * FROM processes").fetchall() == [("theirs",)]
    theirs.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:////no/such/folder/store.db", "does not exist"),
        ("mysql://host/database", "expected sqlite:///"),
        ("just text", "cannot be read"),
    ],
)
def test_a_wrong_url_is_refused(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said):
        SqlStore(url)


def test_a_wrong_durability_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="sloppy"):
        SqlStore(f"sqlite:///{tmp_path / 'a.db'}", durability="sloppy")


def test_a_server_that_does_not_answer_is_not_available() -> None:
    with pytest.raises(StoreUnavailableError):
        SqlStore("postgresql://nobody@127.0.0.1:1/nothing", busy_timeout=2.0)


def test_a_closed_store_says_so(open_sql: OpenSql) -> None:
    store = open_sql()
    store.changed()
    store.close()
    for use in (
        lambda: begin(store, "p"),
        lambda: store.header("p"),
        store.changed,
        lambda: store.put_definition("h", "t"),
        lambda: store.claim("e", 1),
    ):
        with pytest.raises(StoreError, match="closed"):
            use()


@pytest.mark.parametrize(("durability", "sqlite", "postgres"), [("strict", 2, "on"), ("relaxed", 1, "off")])
def test_durability_is_asked_of_the_database(open_sql: OpenSql, durability: str, sqlite: int, postgres: str) -> None:
    store = open_sql(durability=durability)
    with store._link.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == sqlite
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        else:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == postgres


def test_a_child_of_a_fork_is_told_to_open_its_own(open_sql: OpenSql) -> None:
    store = open_sql()
    begin(store, "p", state=ProcessState.RUNNING)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            store.header("p")
            os.write(write_end, b"read")
        except StoreError as error:
            os.write(write_end, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        assert b"forked" in pipe.read()
    assert store.header("p") is not None
