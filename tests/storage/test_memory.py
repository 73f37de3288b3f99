"""The memory store keeps the contract of stores, and bounded memory."""

from __future__ import annotations

import pytest

from fluxor_actors.process.events import ProcessPaused
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage import Append, Header, MemoryStore, Record, Store
from tests.storage.contract import OpenStore, StoreContract, begin, finish
from tests.storage.contract_approvals import ApprovalContract


class TestMemoryStore(ApprovalContract, StoreContract):
    @pytest.fixture
    def open_store(self) -> OpenStore:
        def opening(retain: int = 1_000) -> Store:
            return MemoryStore(retain)

        return opening


def test_nothing_stays_of_what_is_not_retained() -> None:
    store = MemoryStore(retain=5)
    for number in range(500):
        store.put_definition(f"d{number}", "text")
        begin(store, f"p{number}", definition_hash=f"d{number}")
        finish(store, f"p{number}", 2)
    sizes = {name: len(held) for name, held in vars(store).items() if hasattr(held, "__len__")}
    assert sizes == {"_entries": 5, "_finished": 5, "_children": 0, "_definitions": 10, "_used": 5, "_unused": 5}


def test_a_sub_workflow_is_kept_as_long_as_its_parent_is_unfinished() -> None:
    store = MemoryStore(retain=1)

    def put(process_id: str, first: int, state: ProcessState, parent_id: str | None = None) -> None:
        header = Header(process_id, "w", "", "hash", state, first, 0.0, 0.0, parent_id=parent_id, root_id="parent")
        store.append([Append(process_id, Record(first, 0.0, [ProcessPaused()]), header)])

    put("parent", 1, ProcessState.RUNNING)
    for child in ("one", "two", "three"):
        put(child, 1, ProcessState.RUNNING, "parent")
        put(child, 2, ProcessState.COMPLETED, "parent")
    assert [header.id for header in store.headers()] == ["parent", "one", "two", "three"]
    put("parent", 2, ProcessState.COMPLETED)
    assert [header.id for header in store.headers()] == ["parent"]
