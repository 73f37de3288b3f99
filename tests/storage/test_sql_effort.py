"""However many processes are parked, nothing that an engine does goes through them: the work is counted, not timed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from fluxor_actors.clock import ManualClock
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage import Append
from fluxor_actors.storage.durable import Command, Parked
from fluxor_actors.storage.sql import SqlStore
from tests.storage.contract import begin, finish, header, signals
from tests.storage.test_sql_engines import LEASE, elsewhere

Operation = Callable[[SqlStore], object]

FEW, MANY = 400, 4_000
GRAIN = 20  # of SQLite's own steps: one row that is gone through takes three or more


def fill(store: SqlStore, count: int) -> None:
    """Park so many, half of them until a time to come, and finish a tenth."""
    names = [f"p{number:05}" for number in range(count)]
    store.append([Append(name, signals(1), header(name)) for name in names])
    store.park("one", [Parked(name, 1, 1e9 + number if number % 2 else None) for number, name in enumerate(names)])
    ended = names[5::10]
    store.append(
        [
            Append(name, signals(2), header(name, ProcessState.COMPLETED, sequence=2, finished_at=2000.0))
            for name in ended
        ]
    )


def one_is_due(store: SqlStore) -> None:
    assert store.acquire("one", "p00000")
    store.park("one", [Parked("p00000", 1, 5.0)])
    assert store.due("one", 10.0, 100) == ["p00000"]


def commanded(store: SqlStore) -> None:
    store.put_command(Command("c1", "p00002", "signal", "{}", 1.0))
    assert [each.id for each in store.take_commands("one", 100)] == ["c1"]
    store.answer_command("c1", "done")
    assert store.command_answer("c1") == "done"


OPERATIONS: dict[str, Operation] = {
    "next due": lambda store: store.next_due("one"),
    "next due of its own": lambda store: store.next_due("one", own=True),
    "nothing is due": lambda store: store.due("one", 10.0, 100),
    "one is due": one_is_due,
    "nothing to claim": lambda store: store.claim("one", 100),
    "the lease": lambda store: store.renew("one"),
    "a command": commanded,
    "one is acquired": lambda store: store.acquire("one", "p00004"),
    "one goes on": lambda store: store.append([Append("p00006", signals(2))]),
    "one begins": lambda store: begin(store, "new"),
    "one ends": lambda store: finish(store, "p00008", 2),
    "one is looked at": lambda store: (store.header("p00010"), store.read("p00010"), store.owner_of("p00010")),
    "one is parked again": lambda store: (store.acquire("one", "p00012"), store.park("one", [Parked("p00012", 1)])),
    "those that failed": lambda store: list(store.headers(state=ProcessState.FAILED)),
    "children": lambda store: list(store.headers(parent_id="p00014")),
    "the first few": lambda store: list(store.headers(limit=5)),
}


def filled(url: str, count: int, clock: ManualClock) -> SqlStore:
    store = SqlStore(url, clock=clock)
    store.register_engine(elsewhere("one"), LEASE)
    fill(store, count)
    return store


def steps_of(store: SqlStore, operation: Operation) -> int:
    """How many steps SQLite takes for it, in grains."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    def connected(driver: sqlite3.Connection, _record: object) -> None:
        driver.set_progress_handler(count, GRAIN)

    # All connections are made anew, and counted.
    store._link._discard()
    store._link.engine.dispose()
    event.listen(store._link.engine, "connect", connected)
    operation(store)  # the first time the tables are read as well
    event.remove(store._link.engine, "connect", connected)
    return steps


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Stores that are filled, to be copied."""
    folder = tmp_path_factory.mktemp("filled")
    for count in (FEW, MANY):
        filled(f"sqlite:///{folder}/{count}.db", count, ManualClock(1_000.0)).close()
    return {count: folder / f"{count}.db" for count in (FEW, MANY)}


@pytest.fixture
def copied(files: dict[int, Path], tmp_path: Path) -> Iterator[Callable[[int], SqlStore]]:
    """Opens a copy of one of them."""
    with ExitStack() as stack:

        def opening(count: int) -> SqlStore:
            shutil.copy(files[count], tmp_path)
            store = stack.enter_context(
                closing(SqlStore(f"sqlite:///{tmp_path / files[count].name}", clock=ManualClock(1_000.0)))
            )
            store.register_engine(elsewhere("one"), LEASE)
            return store

        yield opening


@pytest.mark.parametrize("name", OPERATIONS)
def test_work_on_sqlite_does_not_grow_with_the_parked(copied: Callable[[int], SqlStore], name: str) -> None:
    few, many = (steps_of(copied(count), OPERATIONS[name]) for count in (FEW, MANY))
    assert many <= few + 20, f"{name}: {many * GRAIN} steps with {MANY:,} parked, and {few * GRAIN} with {FEW:,}"


def test_that_steps_are_counted(copied: Callable[[int], SqlStore]) -> None:
    """A scan would be seen."""
    assert steps_of(copied(MANY), lambda store: list(store.headers(workflow="unknown"))) > 2 * MANY / GRAIN


def rows_read(admin: Engine, schema: str) -> int:
    """How many rows and entries of indexes the server has gone through in the tables of processes and what belongs to them."""
    with admin.connect() as connection:
        # What a connection has read is known when it has ended.
        ended = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = :schema"
        connection.execute(text(ended), {"schema": schema}).all()
        found = connection.execute(
            text(
                "SELECT coalesce(sum(seq_tup_read), 0) + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_all_indexes "
                "WHERE schemaname = :schema) FROM pg_stat_all_tables WHERE schemaname = :schema"
            ),
            {"schema": schema},
        ).scalar_one()
        return int(found)


def test_work_on_postgresql_does_not_grow_with_the_parked(admin: Engine, schema_url: str) -> None:
    schema = schema_url.rsplit("%3D", 1)[-1].rsplit("=", 1)[-1]
    url, clock = f"{schema_url}&application_name={schema}", ManualClock(1_000.0)
    with closing(filled(url, MANY, clock)), admin.connect() as connection:
        connection.execute(text(f"SET search_path = {schema}"))
        # As the server does by itself soon after so many rows were written.
        for table in ("processes", "records", "snapshots", "engines", "commands", "executions"):
            connection.execute(text(f"VACUUM ANALYZE fluxor_{table}"))
    read: dict[str, int] = {}
    before = rows_read(admin, schema)
    for name, operation in OPERATIONS.items():
        with closing(SqlStore(url, clock=clock)) as store:
            store.register_engine(elsewhere("one"), LEASE)
            operation(store)
        after = rows_read(admin, schema)
        read[name], before = after - before, after
    assert {name: rows for name, rows in read.items() if rows > MANY / 10} == {}
    assert sum(read.values()) > 20, "rows are counted"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_is_due_is_found_by_an_index(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path}/store.db" if kind == "sqlite" else request.getfixturevalue("schema_url")
    asked: list[tuple[str, Any]] = []

    def heard(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if "ORDER BY fluxor_processes.due" in statement:
            asked.append((statement, parameters))

    with closing(filled(url, MANY, ManualClock(1_000.0))) as store:
        event.listen(store._link.engine, "before_cursor_execute", heard)
        store.next_due("one")
        store.due("one", 10.0, 100)
        event.remove(store._link.engine, "before_cursor_execute", heard)
        assert len(asked) == 2
        with store._link.engine.connect() as connection:
            if kind == "postgresql":
                connection.exec_driver_sql("ANALYZE fluxor_processes")
            for statement, parameters in asked:
                explain = "EXPLAIN QUERY PLAN " if kind == "sqlite" else "EXPLAIN "
                plan = "\n".join(map(str, connection.exec_driver_sql(explain + statement, parameters)))
                assert "fluxor_processes_due" in plan, plan
                assert "Seq Scan on fluxor_processes" not in plan, plan
