"""The memory store keeps the contract of stores, and bounded memory."""

from __future__ import annotations

import pytest

from fluxor_actors.storage import MemoryStore, Store
from tests.storage.contract import OpenStore, StoreContract, begin, finish


class TestMemoryStore(StoreContract):
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
    assert sizes == {"_entries": 5, "_finished": 5, "_definitions": 10, "_used": 5, "_unused": 5}
