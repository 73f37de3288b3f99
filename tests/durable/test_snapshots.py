"""A snapshot and what came after it tell the same as all events, whenever it was made and whatever was dropped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from fluxor_actors.actors.folding import Folding, Keeping, append_of
from fluxor_actors.errors import SchemaVersionError
from fluxor_actors.process import commands as do
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.replay import replay
from fluxor_actors.process.saved import Saved
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage import Append, Header, MemoryStore, Record
from fluxor_actors.storage.durable import DurableAppend, DurableJournal, Snapshot
from fluxor_actors.storage.restoring import dropped, projected, restored, restored_with
from tests.durable.summary import plan_of, records_of
from tests.durable.test_golden import GOLDEN, load
from tests.process.documents import Tree, documents
from tests.process.driver import text_of
from tests.process.test_machine import _STEPS, perform, world_of

HEADER = Header("p", "w", "1", "hash", ProcessState.RUNNING, 1, 0.0, 0.0)


def numbered(records: list[Any]) -> list[Record]:
    found, following = [], 1
    for record in records:
        found.append(Record(following, record.at, record.events))
        following += len(record.events)
    return found


def write(plan: Plan, records: list[Record], keepings: list[Keeping]) -> MemoryStore:
    """Write records as supervisors do that are replaced at each third record, and whose engines are set up differently."""
    store = MemoryStore()
    folding = None
    for place, record in enumerate(records):
        journal = store.read("p")
        if folding is None or place % 3 == 2:
            folding = Folding(keepings[place % len(keepings)], store)
            if journal is not None:
                state, saved = restored_with(plan, journal, store)
                folding.resume(state, journal, saved)
        state = replay(plan, [record], None if journal is None else restored(plan, journal, store))
        fold = folding.take(state, record) if state.sequence >= folding.due else None
        append = Append("p", record, HEADER if record.first == 1 else None)
        store.append([append if fold is None else append_of(append, fold, ())])
        assert folding.due < float("inf"), "the folding gave up"
    return store


def executions(projection: Projection) -> dict[str, tuple[Any, int]]:
    return {each: (projection.execution(each), projection.first_attempt(each)) for each in projection}


def whole(plan: Plan, records: list[Record]) -> Projection:
    projection = Projection(plan, "p")
    for record in records:
        for event in record.events:
            projection.apply(event, record.at)
    return projection


def check(plan: Plan, records: list[Record], keepings: list[Keeping]) -> None:
    store = write(plan, records, keepings)
    journal = store.read("p")
    assert journal is not None
    assert text_of(restored(plan, journal, store)) == text_of(replay(plan, records))
    found, last = projected(plan, store, "p")
    assert last == records[-1].first + len(records[-1].events) - 1
    expected = executions(whole(plan, records))
    assert executions(found) == expected
    for run_id in list(expected)[::3]:
        assert projected(plan, store, "p", run_id=run_id)[0].execution(run_id) == expected[run_id][0]
    open_ones = projected(plan, store, "p", ended=False)[0]
    open_ones.forget_ended()
    assert set(open_ones) == {each for each, (execution, _) in expected.items() if not execution.state.final}


def keeping(every: int, last: int | None) -> Keeping:
    return Keeping("test", every, last, 1_000_000)


_KEEPINGS = st.lists(
    st.builds(keeping, st.integers(1, 12), st.sampled_from([None, 0, 0, 3, 10])), min_size=1, max_size=2
)


# What had failed before the last snapshot goes on, and its supervisor is replaced after that.
@example(
    {"name": "w", "pipeline": {"tasks": {"t0": {"action": "t:x", "init": {"local": 1}}, "t1": {"action": "t:x"}, "catch": {"action": "t:x"}}}},
    [("fail", 0), ("fail", 0)],
    [keeping(6, 0)],
)  # fmt: skip
@given(documents(), _STEPS, _KEEPINGS)
@settings(max_examples=max(30, settings().max_examples // 2))
def test_whatever_happens_a_snapshot_tells_the_same(
    document: Tree, steps: list[tuple[str, Any]], keepings: list[Keeping]
) -> None:
    world = world_of(document)
    for step in steps:
        perform(world, step)
    world.finish()
    world.tell(do.ResumeFailed())
    world.finish()
    note("\n".join(world.log))
    check(world.plan, numbered(world.records), keepings)


@pytest.mark.parametrize("last", [None, 0, 5])
@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_golden_journals(path: Any, last: int | None) -> None:
    golden = load(path)
    check(plan_of(golden), numbered(records_of(golden)), [keeping(4, last)])


def golden_journal() -> tuple[Plan, list[Record]]:
    golden = load(GOLDEN[0])
    return plan_of(golden), numbered(records_of(golden))


@pytest.mark.parametrize(
    "data", [b"\xff", b"{}", b'{"format":99}', b'{"format":1,"history":"full","projected":null,"state":{"v":99}}']
)
def test_a_snapshot_that_cannot_be_read_is_done_without_if_all_is_kept(data: bytes) -> None:
    plan, records = golden_journal()
    store = write(plan, records, [keeping(10_000, None)])
    last = records[-1].first + len(records[-1].events)
    state = replay(plan, records)
    more = Record(last, records[-1].at, [])
    store.append([DurableAppend("p", more, snapshot=data)])
    journal = store.read("p")
    assert isinstance(journal, DurableJournal)
    assert journal.snapshot == Snapshot(last - 1, data)
    assert text_of(restored(plan, journal, store)) == text_of(state)
    assert executions(projected(plan, store, "p")[0]) == executions(whole(plan, records))
    store.append([DurableAppend("p", more, drop_before=last)])
    assert dropped(store, "p") == last - 1
    journal = store.read("p")
    assert journal is not None
    with pytest.raises(SchemaVersionError, match=r"p: .* were dropped"):
        restored(plan, journal, store)


def test_a_snapshot_survives_bytes() -> None:
    plan, records = golden_journal()
    state = replay(plan, records)
    saved = Saved.of(state, None, "none")
    again = Saved.from_bytes(saved.to_bytes())
    assert text_of(again.state(plan)) == text_of(state)
    assert (again.history, again.projected) == ("none", None)


def test_a_snapshot_of_a_release_that_knew_less_can_be_read() -> None:
    plan, records = golden_journal()
    data: dict[str, Any] = json.loads(Saved.of(replay(plan, records), None, "full").to_bytes())
    fewer: Mapping[str, Any] = {name: value for name, value in data["state"].items() if name != "jumps"}
    assert Saved(fewer, None, "full").state(plan).jumps == 0


def test_what_a_loop_made_long_ago_is_forgotten() -> None:
    plan, records = golden_journal()
    for loops in (True, False):
        store = MemoryStore()
        folding = Folding(Keeping("none", 1, 0, 0, loops=loops), store)
        state = None
        for record in records:
            state = replay(plan, [record], state)
            fold = folding.take(state, record) if state.sequence >= folding.due else None
            append = Append("p", record, HEADER if record.first == 1 else None)
            store.append([append if fold is None else append_of(append, fold, ())])
        assert not any(each.repeated for each in store.executions("p"))
