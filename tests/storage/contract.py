"""What every store must do. A store's test module derives a class from `StoreContract` and gives it the fixture ``open_store``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from attrs import evolve

from fluxor_actors.errors import OwnershipLostError
from fluxor_actors.process.events import PauseRequested, ProcessPaused, ProcessResumed, SignalReceived
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage import Append, Header, Record, Store
from fluxor_actors.storage.durable import DurableAppend, EndedExecution, Snapshot

WAIT = 10.0
"""Seconds after which a test gives up. Nothing waits that long unless it is broken."""

OpenStore = Callable[..., Store]


def header(process_id: str, state: ProcessState = ProcessState.RUNNING, **changes: Any) -> Header:
    values: dict[str, Any] = {
        "id": process_id,
        "workflow": "order",
        "version": "1",
        "definition_hash": "hash",
        "state": state,
        "sequence": 1,
        "created_at": 1000.0,
        "updated_at": 1000.0,
        "root_id": process_id,
    }
    if state.final:
        values["finished_at"] = 1001.0
    return Header(**(values | changes))


def signals(first: int, count: int = 1) -> Record:
    return Record(first, 1000.0 + first, [SignalReceived(f"s{first + number}", number) for number in range(count)])


def begin(store: Store, process_id: str, count: int = 1, **changes: Any) -> None:
    store.append([Append(process_id, signals(1, count), header(process_id, **changes))])


def finish(store: Store, process_id: str, first: int, state: ProcessState = ProcessState.COMPLETED) -> None:
    known = store.header(process_id)
    assert known is not None
    ended = evolve(known, state=state, sequence=first, finished_at=2000.0 + first)
    store.append([Append(process_id, signals(first), ended)])


def ids(store: Store, **filters: Any) -> list[str]:
    return [each.id for each in store.headers(**filters)]


class StoreContract:
    """The suite. ``open_store(retain=…)`` opens an empty store, and closes it after the test."""

    @pytest.fixture
    def open_store(self) -> OpenStore:
        raise NotImplementedError

    @pytest.fixture
    def store(self, open_store: OpenStore) -> Store:
        return open_store()

    # Snapshots ---------------------------------------------------------------------------------------------------------

    def test_a_snapshot_stands_for_the_records_that_are_dropped(self, store: Any) -> None:
        begin(store, "p", 3)
        store.append([DurableAppend("p", signals(4, 2), snapshot=b"five")])
        store.append([Append("p", signals(6))])
        journal = store.read("p")
        assert journal.snapshot == Snapshot(5, b"five")
        assert [record.first for record in journal.records] == [6]
        assert [record.first for record in store.history("p")] == [1, 4, 6]
        assert [record.first for record in store.history("p", after=4)] == [4, 6]
        store.append([DurableAppend("p", signals(7), snapshot=b"seven", drop_before=5)])
        assert [record.first for record in store.history("p")] == [4, 6, 7], "a record is dropped as a whole"
        store.append([DurableAppend("p", signals(8), drop_before=100)])
        assert [record.first for record in store.history("p")] == [8], "what is needed stays"
        journal = store.read("p")
        assert journal.snapshot == Snapshot(7, b"seven")
        assert [record.first for record in journal.records] == [8]

    def test_executions_are_kept_beside_the_journal(self, store: Any) -> None:
        begin(store, "p")
        once = [EndedExecution(f"w/{number}", "old") for number in range(3)]
        often = [EndedExecution(f"w/x#{number}", "loop", repeated=True) for number in range(5)]
        store.append([DurableAppend("p", signals(2), executions=[*once[:1], *often, *once[1:]])])
        store.append([DurableAppend("p", signals(3), executions=[EndedExecution("w/1", "new")], keep_repeated=2)])
        kept = [EndedExecution("w/0", "old"), *often[3:], EndedExecution("w/1", "new"), EndedExecution("w/2", "old")]
        assert list(store.executions("p")) == kept
        assert list(store.executions("p", ["w/1", "w/x#0", "unknown"])) == [EndedExecution("w/1", "new")]
        assert list(store.executions("q")) == []

    # Append and read ---------------------------------------------------------------------------------------------------

    def test_what_is_appended_is_read_in_order(self, store: Store) -> None:
        begin(store, "p", 3, labels={"team": "a"}, parent_id="q", root_id="q")
        store.append([Append("p", Record(4, 1004.5, [PauseRequested(2), ProcessPaused()]))])
        journal = store.read("p")
        assert journal is not None
        assert journal.header == header("p", labels={"team": "a"}, parent_id="q", root_id="q")
        assert [(record.first, record.at) for record in journal.records] == [(1, 1001.0), (4, 1004.5)]
        assert [event for record in journal.records for event in record.events] == [
            SignalReceived("s1", 0),
            SignalReceived("s2", 1),
            SignalReceived("s3", 2),
            PauseRequested(2),
            ProcessPaused(),
        ]

    def test_what_is_unknown_is_none(self, store: Store) -> None:
        assert store.read("p") is None
        assert store.header("p") is None
        assert store.definition("hash") is None
        assert ids(store) == []

    def test_a_header_holds_until_the_next(self, store: Store) -> None:
        begin(store, "p")
        store.append([Append("p", signals(2))])
        assert store.header("p") == header("p")
        paused = header("p", ProcessState.PAUSED, sequence=3, updated_at=1003.0)
        store.append([Append("p", signals(3), paused)])
        assert store.header("p") == paused

    def test_a_journal_that_was_read_does_not_change(self, store: Store) -> None:
        begin(store, "p")
        journal = store.read("p")
        assert journal is not None
        store.append([Append("p", signals(2), header("p", ProcessState.PAUSED))])
        assert (len(journal.records), journal.header.state) == (1, ProcessState.RUNNING)

    def test_a_batch_may_hold_several_processes_and_records(self, store: Store) -> None:
        store.append(
            [
                Append("p", signals(1, 2), header("p")),
                Append("q", signals(1), header("q")),
                Append("p", signals(3)),
                Append("q", signals(2), header("q", ProcessState.PAUSED)),
            ]
        )
        first, second = store.read("p"), store.read("q")
        assert first is not None
        assert second is not None
        assert [record.first for record in first.records] == [1, 3]
        assert second.header.state is ProcessState.PAUSED

    # Fencing -----------------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("number", [1, 2, 4, 0])
    def test_a_number_that_is_not_the_next_is_refused(self, store: Store, number: int) -> None:
        begin(store, "p", 2)
        with pytest.raises(OwnershipLostError, match="p"):
            store.append([Append("p", signals(number), header("p", ProcessState.PAUSED))])
        journal = store.read("p")
        assert journal is not None
        assert len(journal.records) == 1
        assert journal.header.state is ProcessState.RUNNING

    def test_a_batch_is_committed_whole_or_not_at_all(self, store: Store) -> None:
        begin(store, "p")
        batch = [Append("q", signals(1), header("q")), Append("p", signals(2)), Append("p", signals(2))]
        with pytest.raises(OwnershipLostError):
            store.append(batch)
        journal = store.read("p")
        assert journal is not None
        assert len(journal.records) == 1
        assert store.header("q") is None
        store.append([Append("p", signals(2))])

    def test_only_one_of_those_who_write_the_same_number_succeeds(self, store: Store) -> None:
        begin(store, "p")
        start = threading.Barrier(8)

        def write(writer: int) -> int | None:
            start.wait(WAIT)
            try:
                store.append([Append("p", Record(2, 1002.0, [SignalReceived("winner", writer)]))])
            except OwnershipLostError:
                return None
            return writer

        with ThreadPoolExecutor(8) as pool:
            [winner] = [each for each in pool.map(write, range(8)) if each is not None]
        journal = store.read("p")
        assert journal is not None
        assert [list(record.events) for record in journal.records[1:]] == [[SignalReceived("winner", winner)]]

    def test_a_process_that_is_gone_cannot_be_written_to(self, store: Store) -> None:
        begin(store, "p")
        store.delete("p")
        with pytest.raises(OwnershipLostError):
            store.append([Append("p", signals(2))])
        assert store.read("p") is None

    # Headers -----------------------------------------------------------------------------------------------------------

    def test_headers_come_in_the_order_of_creation(self, store: Store) -> None:
        for name in ("c", "a", "b"):
            begin(store, name)
        finish(store, "a", 2)
        assert ids(store) == ["c", "a", "b"]

    def test_headers_are_filtered(self, store: Store) -> None:
        begin(store, "a", workflow="x")
        begin(store, "b", workflow="y", parent_id="a")
        begin(store, "c", workflow="x", parent_id="a")
        finish(store, "c", 2, ProcessState.FAILED)
        assert ids(store, workflow="x") == ["a", "c"]
        assert ids(store, state=ProcessState.RUNNING) == ["a", "b"]
        assert ids(store, parent_id="a") == ["b", "c"]
        assert ids(store, parent_id="a", workflow="x", state=ProcessState.FAILED) == ["c"]
        assert ids(store, workflow="z") == []

    def test_headers_are_read_in_pages(self, store: Store) -> None:
        for number in range(7):
            begin(store, f"p{number}", workflow="even" if number % 2 == 0 else "odd")
        assert ids(store, limit=3) == ["p0", "p1", "p2"]
        assert ids(store, after="p2", limit=3) == ["p3", "p4", "p5"]
        assert ids(store, after="p5", limit=3) == ["p6"]
        assert ids(store, after="p6") == []
        assert ids(store, limit=0) == []
        assert ids(store, workflow="even", after="p1", limit=2) == ["p2", "p4"]

    def test_headers_may_be_read_while_others_write(self, store: Store) -> None:
        stop = threading.Event()
        written = 0

        def write() -> int:
            count = 0
            while not stop.is_set() and count < 500:
                begin(store, f"w{count}")
                count += 1
            return count

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write)
            for _ in range(50):
                names = ids(store)
                assert names == [f"w{number}" for number in range(len(names))]
                assert len(names) >= written
                written = len(names)
            stop.set()
            count = writing.result(WAIT)
        assert len(ids(store)) == count

    # Definitions -------------------------------------------------------------------------------------------------------

    def test_a_definition_is_kept_under_its_hash(self, store: Store) -> None:
        store.put_definition("hash", "name: größe")
        store.put_definition("hash", "name: größe")
        store.put_definition("other", "x" * 100_000)
        assert store.definition("hash") == "name: größe"
        assert store.definition("other") == "x" * 100_000

    def test_a_definition_stays_as_long_as_a_process_has_it(self, open_store: OpenStore) -> None:
        store = open_store(retain=2)
        store.put_definition("kept", "a")
        begin(store, "p", definition_hash="kept")
        for number in range(20):
            store.put_definition(f"d{number}", "b")
            begin(store, f"q{number}", definition_hash=f"d{number}")
            finish(store, f"q{number}", 2)
        assert store.definition("kept") == "a"
        assert store.definition("d19") == "b"

    # Delete and retention ----------------------------------------------------------------------------------------------

    def test_a_process_can_be_deleted(self, store: Store) -> None:
        begin(store, "p")
        begin(store, "q")
        store.delete("p")
        store.delete("p")
        store.delete("never there")
        assert store.read("p") is None
        assert ids(store) == ["q"]
        begin(store, "p")
        assert ids(store) == ["q", "p"]

    def test_only_so_many_finished_processes_are_kept(self, open_store: OpenStore) -> None:
        store = open_store(retain=3)
        for number in range(6):
            begin(store, f"p{number}")
        for number in (5, 0, 4, 1, 3):
            finish(store, f"p{number}", 2, ProcessState.CANCELLED)
        assert ids(store) == ["p1", "p2", "p3", "p4"]
        assert store.read("p0") is None

    def test_one_that_was_resumed_is_not_finished(self, open_store: OpenStore) -> None:
        store = open_store(retain=2)
        begin(store, "again")
        finish(store, "again", 2, ProcessState.FAILED)
        store.append([Append("again", Record(3, 1003.0, [ProcessResumed()]), header("again", sequence=3))])
        for number in range(4):
            begin(store, f"p{number}")
            finish(store, f"p{number}", 2)
        assert ids(store) == ["again", "p2", "p3"]
        # Finished again, it is the one that finished last.
        finish(store, "again", 4)
        begin(store, "p4")
        finish(store, "p4", 2)
        assert ids(store) == ["again", "p4"]

    # Threads and the end -----------------------------------------------------------------------------------------------

    def test_many_threads_write_many_processes(self, store: Store) -> None:
        start = threading.Barrier(4)

        def write(writer: int) -> None:
            start.wait(WAIT)
            for number in range(25):
                name = f"p{writer}-{number}"
                begin(store, name, 2)
                store.append([Append(name, signals(3, 2))])
                store.put_definition("shared", "text")
                assert store.header(name) is not None

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(4)))
        assert len(ids(store)) == 100
        for name in ids(store):
            journal = store.read(name)
            assert journal is not None
            assert [record.first for record in journal.records] == [1, 3]

    def test_closing_twice_is_harmless(self, store: Store) -> None:
        store.close()
        store.close()
