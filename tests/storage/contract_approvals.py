"""What every store must do with approval requests."""

from __future__ import annotations

import time
from typing import Any

import pytest
from attrs import evolve

from fluxor_actors.errors import OwnershipLostError
from fluxor_actors.storage import Append, ApprovalRecord, Store
from tests.storage.contract import OpenStore, begin, finish, header, signals


def asking(id: str, process_id: str = "p", action: str = "shop:pay", **changes: Any) -> ApprovalRecord:  # noqa: A002 - its name
    return evolve(ApprovalRecord(id, process_id, action, True, 1000.5, f'{{"of": "{id} ü"}}'), **changes)


def write(store: Store, process_id: str, first: int, *records: ApprovalRecord) -> None:
    top = header(process_id) if first == 1 else None
    store.append([Append(process_id, signals(first), top, approvals=records)])


def found(store: Store, **filters: Any) -> list[str]:
    return [each.id for each in store.approvals(**filters)]


class ApprovalContract:
    """The part of the suite that is about approval requests."""

    def test_requests_are_written_with_the_events(self, store: Store) -> None:
        one, two = asking("one"), asking("two", action="shop:send")
        write(store, "p", 1, one, two)
        assert list(store.approvals()) == [one, two]
        assert store.approval("two") == two
        assert store.approval("three") is None
        with pytest.raises(OwnershipLostError):
            write(store, "p", 1, asking("three"), evolve(one, pending=False))
        assert list(store.approvals()) == [one, two]

    def test_the_newer_one_holds(self, store: Store) -> None:
        write(store, "p", 1, asking("one"), asking("two"))
        answered = asking("one", pending=False, data="{}")
        write(store, "p", 2, answered)
        assert found(store) == ["two"]
        assert store.approval("one") == answered
        assert found(store, pending=None) == ["one", "two"]
        assert found(store, pending=False) == ["one"]
        # In one batch too.
        write(store, "p", 3, asking("three"), asking("three", pending=False))
        assert found(store, pending=False) == ["one", "three"]
        # One that waits again has its old place.
        write(store, "p", 4, asking("one"))
        assert found(store) == ["one", "two"]

    def test_requests_are_filtered_and_read_in_pages(self, store: Store) -> None:
        for number, process_id in enumerate(("q", "p", "r")):
            write(
                store,
                process_id,
                1,
                *(asking(f"{process_id}{each}", process_id, f"a:{each % 2}") for each in range(4 - number)),
            )
        assert found(store) == ["q0", "q1", "q2", "q3", "p0", "p1", "p2", "r0", "r1"]
        assert found(store, process_id="p") == ["p0", "p1", "p2"]
        assert found(store, action="a:1") == ["q1", "q3", "p1", "r1"]
        assert found(store, process_id="q", action="a:0") == ["q0", "q2"]
        assert found(store, process_id="none") == found(store, action="a:*") == []
        assert found(store, limit=2) == ["q0", "q1"]
        assert found(store, after="q1", limit=3) == ["q2", "q3", "p0"]
        assert found(store, after="r0") == ["r1"]
        assert found(store, after="r1") == found(store, after="gone") == found(store, limit=0) == []
        # What is answered meanwhile can still be gone on from.
        write(store, "q", 2, asking("q1", "q", pending=False))
        assert found(store, after="q1", limit=2) == ["q2", "q3"]

    def test_requests_go_with_their_process(self, open_store: OpenStore) -> None:
        store = open_store(retain=1)
        for name in ("p", "q", "r"):
            write(store, name, 1, asking(f"{name}1", name), asking(f"{name}2", name, pending=False))
        store.delete("p")
        assert found(store, pending=None) == ["q1", "q2", "r1", "r2"]
        assert store.approval("p1") is None
        begin(store, "s")
        finish(store, "q", 2)
        finish(store, "s", 2)
        assert found(store, pending=None) == ["r1", "r2"]

    def test_ten_thousand_are_listed_fast(self, store: Store) -> None:
        begin(store, "q")
        for first in range(10):
            write(store, "p", first + 1, *(asking(f"a{first * 1000 + each:05}") for each in range(1000)))
        write(store, "p", 11, *(asking(f"a{each:05}", pending=False) for each in range(0, 10_000, 100)))
        start = time.perf_counter()
        assert len(found(store)) == 9_900
        assert found(store, after="a09990", limit=3) == ["a09991", "a09992", "a09993"]
        assert time.perf_counter() - start < 3.0
