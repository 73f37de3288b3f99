"""The stores in SQL databases keep the contract of stores, and repeat an append whose commit was not answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fluxor_actors.errors import OwnershipLostError, StoreUnavailableError
from fluxor_actors.storage import Append, Store
from fluxor_actors.storage.durable import DurableAppend, DurableStore, EndedExecution
from fluxor_actors.storage.sql.link import CommitUnknownError
from tests.storage.conftest import OpenSql
from tests.storage.contract import WAIT, StoreContract, begin, finish, header, ids, signals
from tests.storage.contract_approvals import ApprovalContract


class TestSqlStore(ApprovalContract, StoreContract):
    @pytest.fixture
    def open_store(self, open_sql: OpenSql) -> Callable[..., Store]:
        def opening(retain: int | None = None) -> Store:
            return open_sql(retain=retain)

        return opening

    def test_headers_may_be_read_while_others_write(self, store: Store) -> None:
        stop = threading.Event()

        def write() -> int:
            count = 0
            while not stop.is_set() and count < 500:
                begin(store, f"w{count}")
                count += 1
            return count

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write)
            known = 0
            for _ in range(30):
                names = ids(store)
                assert names == [f"w{number}" for number in range(len(names))]
                assert len(names) >= known
                known = len(names)
            stop.set()
            # Awaited first: it may be writing one more.
            assert writing.result(WAIT) == len(ids(store))


def test_it_is_a_durable_store(open_sql: OpenSql) -> None:
    store: DurableStore = open_sql()
    assert not store.immediate


def test_headers_beyond_a_page_are_those_of_the_time_of_the_call(open_sql: OpenSql) -> None:
    store = open_sql()
    names = [f"p{number}" for number in range(1_203)]
    store.append([Append(name, signals(1), header(name)) for name in names])
    found = store.headers()
    begin(store, "later")
    assert [each.id for each in found] == names
    assert ids(store, limit=700) == names[:700]
    assert ids(store, after="p600") == [*names[601:], "later"]


def test_what_was_committed_is_there_when_it_is_opened_again(open_sql: OpenSql) -> None:
    store = open_sql(durability="relaxed")
    begin(store, "p", 2, labels={"größe": "ü"})
    finish(store, "p", 3)
    store.close()
    again = open_sql()
    journal = again.read("p")
    assert journal is not None
    assert [record.first for record in journal.records] == [1, 3]
    assert dict(journal.header.labels) == {"größe": "ü"}
    assert [record.first for record in again.history("p", after=2)] == [3]
    assert [each.header.id for each in again.read_many(["unknown", "p"])] == ["p"]
    assert again.headers_of(["unknown", "p"]) == [journal.header]


def test_executions_are_committed_with_their_events(open_sql: OpenSql) -> None:
    store = open_sql()
    begin(store, "p")
    first = [EndedExecution(f"w/{number}", "old") for number in range(3)]
    store.append([DurableAppend("p", signals(2), executions=first)])
    store.append(
        [DurableAppend("p", signals(3), executions=[EndedExecution("w/1", "new"), EndedExecution("w/9", "x")])]
    )
    with pytest.raises(OwnershipLostError):
        store.append([DurableAppend("p", signals(3), executions=[EndedExecution("w/1", "lost")])])
    assert [(each.id, each.data) for each in store.executions("p")] == [
        ("w/0", "old"),
        ("w/1", "new"),
        ("w/2", "old"),
        ("w/9", "x"),
    ]
    store.delete("p")
    assert list(store.executions("p")) == []


def test_an_append_whose_commit_was_not_answered_can_be_repeated(open_sql: OpenSql) -> None:
    store = open_sql()
    begin(store, "p")
    link = store._link
    commit = link.commit
    batch = [Append("p", signals(2, 2)), Append("q", signals(1), header("q"))]

    def unanswered(work: Callable[[Any], None]) -> None:
        commit(work)
        raise CommitUnknownError("no answer")

    link.commit = unanswered  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailableError):
        store.append(batch)
    link.commit = commit  # type: ignore[method-assign]
    # Grouped otherwise than before, and with more.
    store.append([*batch, Append("p", signals(4)), Append("r", signals(1), header("r"))])
    journal = store.read("p")
    assert journal is not None
    assert [record.first for record in journal.records] == [1, 2, 4]
    assert ids(store) == ["p", "q", "r"]
    with pytest.raises(OwnershipLostError):
        store.append(batch)
