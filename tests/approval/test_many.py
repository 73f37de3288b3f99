"""Ten thousand requests wait, and many more are decided: the work that a look at them takes is counted, not timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from fluxor_actors import ApprovalService, Fluxor
from fluxor_actors.storage import Append, ApprovalRecord, MemoryStore, Store
from fluxor_actors.storage.sql import SqlStore
from tests.storage.contract import header, signals
from tests.storage.test_sql_effort import GRAIN, steps_of

FEW, MANY = 1_000, 10_000
DATA = (
    '{"request":{"id":"%s","process":"%s","execution":"e","action":"shop:pay","args":{"n":1},"digest":"d","created":1.5,"expires":null,'
    '"meta":{"task":"w/pay"}}%s}'
)
DECIDED = ',"decision":{"approved":true,"reason":"","by":"ada","at":2.5,"args":null}'


def record(process_id: str, number: int, pending: bool) -> ApprovalRecord:
    name = f"{process_id}-{number}"
    data = DATA % (name, process_id, "" if pending else DECIDED)
    return ApprovalRecord(name, process_id, "shop:pay", pending, 1.5, data)


def fill(store: Store, pending: int, decided: int) -> None:
    """So many requests, of a hundred each to a process, those that are decided before and between those that wait."""
    batch = []
    for process in range(max(pending, decided) // 100):
        name = f"p{process:04}"
        records = [
            record(name, number, number < 100) for number in range(200) if _there(process, number, pending, decided)
        ]
        batch.append(Append(name, signals(1), header(name), approvals=records))
    store.append(batch)


def _there(process: int, number: int, pending: int, decided: int) -> bool:
    return process * 100 < (pending if number < 100 else decided)


Filled = Callable[[int, int], SqlStore]


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Filled]:
    """Makes stores with so many that wait and so many that are decided."""
    stores: list[SqlStore] = []

    def filling(pending: int, decided: int) -> SqlStore:
        store = SqlStore(f"sqlite:///{tmp_path}/{pending}-{decided}.db")
        stores.append(store)
        fill(store, pending, decided)
        return store

    yield filling
    for store in stores:
        store.close()


def all_pending(store: Store) -> int:
    return sum(1 for _ in store.approvals())


OF_ONE: dict[str, Callable[[SqlStore], object]] = {
    "of one process": lambda store: list(store.approvals(process_id="p0003")),
    "one": lambda store: store.approval("p0003-50"),
    "the first few": lambda store: list(store.approvals(limit=5)),
    "those after one": lambda store: list(store.approvals(after="p0003-50", limit=5)),
    "one is decided": lambda store: store.append(
        [Append("p0003", signals(2), approvals=[record("p0003", 50, pending=False)])]
    ),
}


@pytest.mark.parametrize("name", OF_ONE)
def test_a_look_at_one_costs_the_same_among_ten_thousand(filled: Filled, name: str) -> None:
    few, many = (steps_of(filled(count, count), OF_ONE[name]) for count in (FEW, MANY))
    assert many <= few * 1.2 + 20, f"{name}: {many * GRAIN} steps among {MANY:,}, and {few * GRAIN} among {FEW:,}"


def test_listing_them_goes_through_those_that_wait_and_no_others(filled: Filled) -> None:
    few, many, beside = (steps_of(filled(*counts), all_pending) for counts in ((FEW, 0), (MANY, 0), (FEW, MANY)))
    assert few * 8 < many < few * 12
    assert beside <= few * 1.2 + 20


def test_listing_them_takes_a_statement_for_a_thousand(filled: Filled) -> None:
    store = filled(MANY, MANY)
    statements: list[str] = []

    def heard(_connection: object, _cursor: object, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(store._link.engine, "before_cursor_execute", heard)
    assert all_pending(store) == MANY
    event.remove(store._link.engine, "before_cursor_execute", heard)
    assert len([each for each in statements if "fluxor_approvals" in each]) <= MANY // 1_000 + 2


def test_on_a_server_they_are_found_by_their_index(schema_url: str) -> None:
    with closing(SqlStore(schema_url)) as store:
        fill(store, FEW, MANY)
        asked: list[tuple[str, Any]] = []

        def heard(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
            if "ORDER BY fluxor_approvals.position" in statement:
                asked.append((statement, parameters))

        event.listen(store._link.engine, "before_cursor_execute", heard)
        list(store.approvals(limit=50))
        list(store.approvals(process_id="p0003"))
        event.remove(store._link.engine, "before_cursor_execute", heard)
        with store._link.engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE fluxor_approvals")
            for statement, parameters in asked:
                plan = "\n".join(map(str, connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)))
                assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_the_service_has_all_of_them(store: str, filled: Filled) -> None:
    kept: Any = MemoryStore() if store == "memory" else filled(MANY, 0)
    if store == "memory":
        fill(kept, MANY, 0)
    with Fluxor(store=kept, take_over=False) as engine:
        found = engine.approvals.list_pending()
        assert len(found) == len({request.id for request in found}) == MANY
        assert found[0].args == {"n": 1}
        assert len(engine.approvals.list_pending(process_id="p0042")) == 100
        assert engine.approvals.list_pending(action="shop:send") == []


def test_a_service_alone_has_them_too() -> None:
    service = ApprovalService()
    requests = [service.request_approval(action="shop:pay", args=number) for number in range(MANY)]
    assert service.list_pending() == requests
    service.decide(requests[MANY // 2].id, approved=True)
    assert len(service.list_pending(action="Shop.Pay")) == MANY - 1
    assert service.close()
