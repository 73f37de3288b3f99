"""Snapshots, parked processes, and commands from other programs."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fluxor_actors.clock import ManualClock
from fluxor_actors.errors import OwnershipLostError, ProcessNotFoundError
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage import Append
from fluxor_actors.storage.durable import Command, DurableAppend, EndedExecution, Parked, Snapshot
from fluxor_actors.storage.sql import SqlStore
from tests.storage.conftest import OpenSql
from tests.storage.contract import WAIT, begin, finish, header, ids, signals
from tests.storage.test_sql_engines import LEASE, open_engine


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(open_sql: OpenSql, clock: ManualClock) -> SqlStore:
    return open_engine(open_sql, "one", clock)


def firsts(store: SqlStore, process_id: str) -> list[int]:
    journal = store.read(process_id)
    assert journal is not None
    return [record.first for record in journal.records]


# Snapshots --------------------------------------------------------------------------------------------------------------


def test_what_is_read_is_the_snapshot_and_what_came_after(store: SqlStore) -> None:
    for name in ("p", "q"):
        begin(store, name, 2)
        for number in (3, 4, 5):
            store.append([Append(name, signals(number))])
    store.save_snapshot("p", 3, b"\0state\xff")
    journal = store.read("p")
    assert journal is not None
    assert journal.snapshot == Snapshot(3, b"\0state\xff")
    assert firsts(store, "p") == [4, 5]
    assert firsts(store, "q") == [1, 3, 4, 5]
    assert {each.header.id: len(each.records) for each in store.read_many(["p", "q"])} == {"p": 2, "q": 4}
    assert [record.first for record in store.history("p")] == [1, 3, 4, 5]
    store.save_snapshot("p", 2, b"older")
    assert firsts(store, "p") == [4, 5]
    store.save_snapshot("p", 4, b"newer", drop_before=100)
    assert [record.first for record in store.history("p")] == [5], "what is needed stays"
    store.append([Append("p", signals(6))])


def test_a_snapshot_of_what_was_not_committed_is_refused(
    store: SqlStore, open_sql: OpenSql, clock: ManualClock
) -> None:
    begin(store, "p")
    for process_id, sequence in (("p", 2), ("unknown", 1)):
        with pytest.raises(OwnershipLostError):
            store.save_snapshot(process_id, sequence, b"")
    with pytest.raises(OwnershipLostError):
        open_engine(open_sql, "two", clock).save_snapshot("p", 1, b"")


# Parked -----------------------------------------------------------------------------------------------------------------


def test_parked_processes_come_back_when_they_are_due(store: SqlStore) -> None:
    for name in ("a", "b", "c", "never"):
        begin(store, name)
    parked = [Parked("a", 1, 30.0), Parked("b", 1, 10.0, b"state"), Parked("c", 1, 20.0), Parked("never", 1)]
    assert store.park("one", parked) == ["a", "b", "c", "never"]
    assert store.next_due("one") == 10.0
    assert store.due("one", 9.0, 10) == []
    assert store.due("one", 25.0, 1) == ["b"]
    assert store.due("one", 25.0, 10) == ["c"]
    assert store.due("one", 25.0, 10) == []
    assert store.next_due("one") == 30.0
    journal = store.read("b")
    assert journal is not None
    assert journal.snapshot == Snapshot(1, b"state")


def test_what_has_gone_on_is_not_parked(store: SqlStore, open_sql: OpenSql, clock: ManualClock) -> None:
    two = open_engine(open_sql, "two", clock)
    for name in ("moved", "over", "fine"):
        begin(store, name)
    begin(two, "theirs")
    store.append([Append("moved", signals(2))])
    finish(store, "over", 2)
    parked = [Parked(name, 1, 5.0, b"s") for name in ("moved", "theirs", "unknown", "fine")]
    assert store.park("one", [*parked, Parked("over", 2, 5.0)]) == ["fine"]
    journal = store.read("moved")
    assert journal is not None
    assert journal.snapshot is None
    store.append([Append("fine", signals(2))])
    assert store.next_due("one") is None, "who is written to is parked no more"


def test_parked_processes_of_a_dead_engine_are_left_until_there_is_something_to_do(
    store: SqlStore, open_sql: OpenSql, clock: ManualClock
) -> None:
    for name in ("active", "timer", "asleep", "called"):
        begin(store, name)
    store.park("one", [Parked("timer", 1, 50.0), Parked("asleep", 1), Parked("called", 1)])
    clock.advance(LEASE)
    two = open_engine(open_sql, "two", clock)
    assert two.next_due("two") == 50.0
    assert two.claim("two", 10) == ["active"]
    assert two.due("two", 60.0, 10) == ["timer"]
    two.put_command(Command("1", "called", "signal", "{}", 1.0))
    assert [each.process_id for each in two.take_commands("two", 10)] == ["called"]
    assert two.acquire("two", "asleep")
    assert {two.owner_of(name) for name in ("active", "timer", "asleep", "called")} == {"two"}


def test_an_engine_may_keep_to_its_own(store: SqlStore, open_sql: OpenSql, clock: ManualClock) -> None:
    for name in ("timer", "called"):
        begin(store, name)
    store.park("one", [Parked("timer", 1, 50.0), Parked("called", 1)])
    clock.advance(LEASE)
    two = open_engine(open_sql, "two", clock)
    two.put_command(Command("1", "called", "signal", "{}", 1.0))
    assert two.next_due("two", own=True) is None
    assert two.due("two", 60.0, 10, own=True) == []
    assert two.take_commands("two", 10, own=True) == []
    assert two.acquire("two", "called")
    assert [each.process_id for each in two.take_commands("two", 10, own=True)] == ["called"]


def test_many_are_parked_at_once(store: SqlStore) -> None:
    names = [f"p{number}" for number in range(1_200)]
    store.append([Append(name, signals(1), header(name)) for name in names])
    parked = [Parked(name, 1, float(number), b"state") for number, name in enumerate(names)]
    assert len(store.park("one", parked)) == 1_200
    assert store.due("one", 1_000.0, 3) == ["p0", "p1", "p2"]


def test_who_waits_for_a_sub_workflow_is_due_when_it_ends(store: SqlStore, clock: ManualClock) -> None:
    for name in ("before", "after", "active"):
        begin(store, name)
        begin(store, f"{name}/child", parent_id=name, root_id=name)
    finish(store, "before/child", 2)
    parked = [Parked(name, 1, 9e9, children=(f"{name}/child",)) for name in ("before", "after")]
    assert store.park("one", parked) == ["before", "after"]
    assert store.due("one", clock.time(), 10) == ["before"]
    finish(store, "after/child", 2, ProcessState.FAILED)
    finish(store, "active/child", 2)
    assert store.due("one", clock.time(), 10) == ["after"]
    assert store.next_due("one") is None, "who has something to do is not due"
    assert store.park("one", [Parked("active", 1, None, children=("active/child", "unknown"))]) == ["active"]
    assert store.due("one", clock.time(), 10) == ["active"]


def test_what_stands_for_dropped_records_is_kept_with_who_is_parked(store: SqlStore) -> None:
    begin(store, "p", 2)
    store.append([Append("p", signals(3))])
    ended = [EndedExecution("w/a", "1"), EndedExecution("w/a#2", "2", repeated=True)]
    assert store.park("one", [Parked("p", 3, None, b"state", 4, ended, 0)]) == ["p"]
    journal = store.read("p")
    assert journal is not None
    assert journal.snapshot == Snapshot(3, b"state")
    assert list(store.history("p")) == []
    assert list(store.executions("p")) == [EndedExecution("w/a", "1")]


# Commands ---------------------------------------------------------------------------------------------------------------


def command(number: int, process_id: str = "p") -> Command:
    return Command(f"c{number}", process_id, "signal", f'{{"n":{number}}}', float(number))


def test_commands_go_to_the_owner_and_answers_back(store: SqlStore, open_sql: OpenSql, clock: ManualClock) -> None:
    other, two = open_sql(), open_engine(open_sql, "two", clock)
    begin(store, "p")
    for number in (2, 1, 2):
        other.put_command(command(number))
    with pytest.raises(ProcessNotFoundError):
        other.put_command(command(3, "unknown"))
    assert two.take_commands("two", 10) == []
    assert store.take_commands("one", 1) == [command(2)]
    assert store.take_commands("one", 10) == [command(1)]
    assert store.take_commands("one", 10) == []
    assert other.command_answer("c1") is None
    store.answer_command("c1", "running")
    store.answer_command("c1", "again")
    assert other.command_answer("c1") == "running"


def test_a_command_that_was_answered_with_its_effect_is_applied_once(
    store: SqlStore, open_sql: OpenSql, clock: ManualClock
) -> None:
    begin(store, "p")
    for number in (1, 2):
        store.put_command(command(number))
    assert len(store.take_commands("one", 10)) == 2
    store.append([DurableAppend("p", signals(2), answers=[("c1", "done")])])
    with pytest.raises(OwnershipLostError):
        store.append([DurableAppend("p", signals(2), answers=[("c2", "lost")])])
    clock.advance(LEASE)
    two = open_engine(open_sql, "two", clock)
    assert two.take_commands("two", 10) == [command(2)], "taken by an engine that died before it answered"
    assert two.command_answer("c1") == "done"


def test_old_answers_are_pruned(store: SqlStore, clock: ManualClock) -> None:
    begin(store, "p")
    for number in (1, 2):
        store.put_command(command(number))
    store.answer_command("c1", "done")
    store.prune()
    assert store.command_answer("c1") is None
    assert store.take_commands("one", 10) == [command(2)]


def test_a_command_wakes_who_waits(store: SqlStore, open_sql: OpenSql) -> None:
    begin(store, "p")
    known = store.changed()
    assert store.wait_for_change(known, 0.0) == known
    other = open_sql()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.wait_for_change, known, WAIT)
        other.put_command(command(1))
        assert waiting.result(WAIT) != known
    assert store.take_commands("one", 10) == [command(1)]


def test_closing_ends_the_wait_for_a_change(store: SqlStore) -> None:
    known = store.changed()
    waits = threading.Event()

    def wait() -> str:
        waits.set()
        try:
            store.wait_for_change(known, 60.0)
        except Exception as error:
            return str(error)
        return "ended"

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        assert waits.wait(WAIT)
        store.close()
        assert "closed" in waiting.result(WAIT) or waiting.result(WAIT) == "ended"


# Retention --------------------------------------------------------------------------------------------------------------


def test_finished_processes_are_pruned_by_age_and_by_number(store: SqlStore) -> None:
    for number in range(6):
        begin(store, f"p{number}")
    for number in (0, 3, 1, 2):
        finish(store, f"p{number}", 2)
    begin(store, "child", root_id="p5", parent_id="p5")
    finish(store, "child", 2)
    store.put_command(command(1, "p3"))
    assert store.prune().processes == 0
    assert store.prune(keep=2, dry_run=True).processes == 3
    assert ids(store) == ["p0", "p1", "p2", "p3", "p4", "p5", "child"]
    assert store.prune(keep=3).processes == 2
    assert ids(store) == ["p1", "p2", "p4", "p5", "child"]
    assert store.prune(before=1.0).processes == 0
    assert store.prune(before=1e12).processes == 2
    assert ids(store) == ["p4", "p5", "child"], "its root is not finished"
    finish(store, "p5", 2)
    assert store.prune(keep=0).processes == 2
    assert list(store.history("p3")) == []


def test_a_definition_goes_when_it_was_long_without_processes(store: SqlStore, clock: ManualClock) -> None:
    store.put_definition("used", "a")
    store.put_definition("unused", "b")
    begin(store, "p", definition_hash="used")
    assert store.prune().definitions == 0
    clock.advance(3_599)
    assert store.prune().definitions == 0
    clock.advance(1)
    store.put_definition("fresh", "c")
    assert store.prune(dry_run=True).definitions == 1
    assert store.prune().definitions == 1
    assert [store.definition(each) for each in ("used", "unused", "fresh")] == ["a", None, "c"]
    # Marked, and then used again in time.
    clock.advance(3_600)
    store.put_definition("fresh", "c")
    assert store.prune().definitions == 0
    assert store.definition("fresh") == "c"
