"""Databases that are locked, full, or gone for a while."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from fluxor_actors.errors import OwnershipLostError, StoreUnavailableError
from fluxor_actors.process.events import SignalReceived
from fluxor_actors.storage import Append, Record
from fluxor_actors.storage.durable import Command, Parked
from fluxor_actors.storage.sql import SqlStore
from tests.storage.contract import WAIT, begin, finish, header, ids, signals
from tests.storage.server import Server
from tests.storage.test_sql_engines import elsewhere

pytestmark = pytest.mark.long


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def test_a_locked_file_is_not_available_until_it_is_let_go(path: Path) -> None:
    store = SqlStore(f"sqlite:///{path}", busy_timeout=0.05)
    begin(store, "p")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writes: tuple[Callable[[], object], ...] = (
        lambda: store.append([Append("p", signals(2)), Append("q", signals(1), header("q"))]),
        lambda: store.put_definition("hash", "text"),
        lambda: store.delete("p"),
        lambda: store.put_command(Command("1", "p", "pause", "", 1.0)),
    )
    for write in writes:
        with pytest.raises(StoreUnavailableError, match="locked"):
            write()
    assert ids(store) == ["p"], "who reads is not kept waiting"
    other.execute("ROLLBACK")
    other.close()
    store.append([Append("p", signals(2)), Append("q", signals(1), header("q"))])
    store.close()


def test_a_file_that_is_locked_for_a_moment_is_waited_for(path: Path) -> None:
    store = SqlStore(f"sqlite:///{path}", busy_timeout=WAIT)
    begin(store, "p")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(store.append, [Append("p", signals(2))])
        other.execute("COMMIT")
        writing.result(WAIT)
    other.close()
    store.close()


def test_a_full_disk_refuses_and_loses_nothing(path: Path) -> None:
    store = SqlStore(f"sqlite:///{path}", pragmas={"max_page_count": 120})
    begin(store, "old")
    store.append([Append("old", Record(2, 1.0, [SignalReceived("s", "x" * 100_000)]))])
    finish(store, "old", 3)
    written = 0
    with pytest.raises(StoreUnavailableError, match="full"):
        while written < 1_000:
            name = f"p{written}"
            store.append(
                [
                    Append(name, Record(1, 1.0, [SignalReceived("s", "x" * 5_000)]), header(name)),
                    Append(name, Record(2, 1.0, [SignalReceived("s", "y" * 5_000)])),
                ]
            )
            written += 1
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="full"):
            store.append([Append("big", Record(1, 1.0, [SignalReceived("s", "x" * 50_000)]), header("big"))])
    assert ids(store) == ["old", *(f"p{number}" for number in range(written))]
    assert all(len(journal.records) == 2 for journal in store.read_many(ids(store)) if journal.header.id != "old")
    # Room is made by what is not needed any more.
    assert store.prune(keep=0).processes == 1
    store.append([Append("big", Record(1, 1.0, [SignalReceived("s", "x" * 50_000)]), header("big"))])
    store.close()


def test_a_server_that_was_restarted_meanwhile_is_not_noticed(server: Server, server_url: str) -> None:
    store = SqlStore(server_url)
    begin(store, "p")
    start = threading.Barrier(4)

    def read(_: int) -> list[str]:
        start.wait(WAIT)
        return ids(store)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, range(4))) == [["p"]] * 4
    server.stop()
    server.start()
    store.append([Append("p", signals(2))])
    assert ids(store) == ["p"]
    server.stop()
    server.start()
    assert ids(store) == ["p"]
    store.put_definition("hash", "text")
    store.close()


class Load:
    """Threads that write without a rest, and wait while they are refused."""

    def __init__(self, store: SqlStore, writers: int) -> None:
        self._store = store
        self.acknowledged = [0] * writers
        self.refused = threading.Event()
        self.back = threading.Event()
        self.stop = threading.Event()
        # Released for each so many appends.
        self.progress = threading.Semaphore(0)

    def write(self, writer: int) -> None:
        name = f"p{writer}"
        first = 1
        while not self.stop.is_set():
            try:
                self._store.append([Append(name, signals(first), header(name) if first == 1 else None)])
            except StoreUnavailableError:
                self.refused.set()
                self.back.wait(WAIT)
                continue
            self.acknowledged[writer] = first
            first += 1
            if first % 50 == 0:
                self.progress.release()

    def end(self) -> None:
        self.stop.set()
        self.back.set()


def test_a_connection_that_is_out_when_others_go_stale_is_closed_when_it_comes_back(
    admin: Engine, schema_url: str
) -> None:
    store = SqlStore(schema_url)
    begin(store, "p")
    out, back = threading.Event(), threading.Event()

    def reading(connection: Connection) -> Any:
        out.set()
        assert back.wait(WAIT)
        return connection.connection.driver_connection

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(store._link.read, reading)
        assert out.wait(WAIT)
        writer = store._link.open().connection.driver_connection
        assert writer is not None
        with admin.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": writer.info.backend_pid})
        # It is not noticed by whoever writes, and no more is read by way of what may have gone the same way.
        store.append([Append("p", signals(2))])
        back.set()
        assert reader.result(WAIT).closed
    assert ids(store) == ["p"]
    store.close()


def test_a_server_that_is_restarted_under_load_is_gone_for_a_while(server: Server, server_url: str) -> None:
    store = SqlStore(server_url, busy_timeout=2.0)
    store.register_engine(elsewhere("one"), 3600.0)
    load = Load(store, 3)
    known = store.changed()
    with ThreadPoolExecutor(3) as pool:
        writing = [pool.submit(load.write, number) for number in range(3)]
        try:
            assert load.progress.acquire(timeout=WAIT)
            server.stop()
            try:
                assert load.refused.wait(WAIT)
                for use in (
                    lambda: store.header("p0"),
                    lambda: store.claim("one", 1),
                    lambda: store.park("one", [Parked("p0", 1)]),
                    lambda: store.wait_for_change(known, 1.0),
                ):
                    with pytest.raises(StoreUnavailableError):
                        use()
            finally:
                server.start()
            while load.progress.acquire(blocking=False):
                pass
            load.back.set()
            for _ in range(6):
                assert load.progress.acquire(timeout=WAIT)
        finally:
            load.end()
        for each in writing:
            each.result(WAIT)
    for number, last in enumerate(load.acknowledged):
        journal = store.read(f"p{number}")
        assert journal is not None
        assert [record.first for record in journal.records] == list(range(1, last + 1))
    with pytest.raises(OwnershipLostError):
        store.append([Append("p0", signals(1), header("p0"))])
    known = store.changed()
    store.put_command(Command("1", "p0", "pause", "", 1.0))
    assert store.wait_for_change(known, WAIT) != known
    store.close()
