"""Engines that share a store: leases, owners, and who may write."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve

from fluxor_actors.clock import ManualClock
from fluxor_actors.errors import OwnershipLostError, StoreError
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage import Append
from fluxor_actors.storage.durable import EngineIdentity
from fluxor_actors.storage.sql import SqlStore, identify
from fluxor_actors.storage.sql.liveness import known_dead
from tests.storage.conftest import OpenSql
from tests.storage.contract import WAIT, begin, finish, header, ids, signals

LEASE = 10.0


def elsewhere(name: str) -> EngineIdentity:
    """An engine on another host, of which nothing can be known but its lease."""
    return EngineIdentity(name, "elsewhere", "boot", 1, "1")


def open_engine(open_sql: OpenSql, name: str, clock: ManualClock) -> SqlStore:
    store = open_sql(clock=clock)
    store.register_engine(elsewhere(name), LEASE)
    return store


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_who_creates_a_process_owns_it(open_sql: OpenSql, clock: ManualClock) -> None:
    one, two = open_engine(open_sql, "one", clock), open_engine(open_sql, "two", clock)
    begin(one, "p")
    assert two.owner_of("p") == "one"
    assert two.claim("two", 10) == []
    assert not two.acquire("two", "p")
    with pytest.raises(OwnershipLostError, match="belongs to one, and not to two"):
        two.append([Append("p", signals(2))])
    one.append([Append("p", signals(2))])
    assert one.owner_of("unknown") is None
    assert not one.acquire("one", "unknown")


def test_an_unregistered_store_writes_only_to_what_is_nobodys(open_sql: OpenSql, clock: ManualClock) -> None:
    store, engine = open_sql(), open_engine(open_sql, "one", clock)
    begin(store, "nobodys")
    begin(engine, "owned")
    store.append([Append("nobodys", signals(2))])
    with pytest.raises(OwnershipLostError, match="belongs to one"):
        store.append([Append("owned", signals(2))])
    with pytest.raises(OwnershipLostError, match="belongs to nobody"):
        engine.append([Append("nobodys", signals(3))])
    assert engine.claim("one", 10) == ["nobodys"]
    engine.append([Append("nobodys", signals(3))])
    with pytest.raises(OwnershipLostError):
        store.append([Append("nobodys", signals(4))])


def test_processes_of_an_engine_whose_lease_is_over_are_claimed(open_sql: OpenSql, clock: ManualClock) -> None:
    one, two = open_engine(open_sql, "one", clock), open_engine(open_sql, "two", clock)
    for name in ("c", "a", "b", "over"):
        begin(one, name)
    finish(one, "over", 2)
    clock.advance(LEASE - 1)
    assert two.renew("two")
    assert two.claim("two", 10) == []
    assert two.owner_of("a") == "one"
    clock.advance(1)
    assert two.owner_of("a") is None
    assert two.claim("two", 2) == ["c", "a"]
    assert two.claim("two", 2) == ["b"]
    assert two.claim("two", 2) == []
    assert [two.owner_of(name) for name in ("a", "b", "c", "over")] == ["two", "two", "two", None]


def test_an_engine_that_was_suspended_past_its_lease_writes_nothing(open_sql: OpenSql, clock: ManualClock) -> None:
    one, two = open_engine(open_sql, "one", clock), open_engine(open_sql, "two", clock)
    begin(one, "p")
    begin(one, "q")
    clock.advance(LEASE)
    two.renew("two")
    assert two.claim("two", 1) == ["p"]
    for name in ("p", "q"):
        with pytest.raises(OwnershipLostError, match="declared dead"):
            one.append([Append(name, signals(2))])
    with pytest.raises(OwnershipLostError):
        begin(one, "new")
    with pytest.raises(OwnershipLostError):
        one.claim("one", 10)
    assert not one.renew("one")
    two.append([Append("p", signals(2))])
    assert ids(two) == ["p", "q"]
    # As a new engine it may go on with what is left.
    one.release("one")
    one.register_engine(elsewhere("one again"), LEASE)
    assert one.claim("one again", 10) == ["q"]


def test_an_engine_that_is_late_and_not_missed_goes_on(open_sql: OpenSql, clock: ManualClock) -> None:
    one = open_engine(open_sql, "one", clock)
    begin(one, "p")
    clock.advance(LEASE * 3)
    one.append([Append("p", signals(2))])
    two = open_engine(open_sql, "two", clock)
    assert two.claim("two", 10) == [], "by writing it has renewed its lease"
    assert one.renew("one")


def test_what_was_released_is_claimed_at_once(open_sql: OpenSql, clock: ManualClock) -> None:
    one, two = open_engine(open_sql, "one", clock), open_engine(open_sql, "two", clock)
    begin(one, "p")
    one.release("one")
    with pytest.raises(OwnershipLostError):
        one.append([Append("p", signals(2))])
    assert two.claim("two", 10) == ["p"]


def test_a_program_that_has_ended_loses_its_lease_at_once(open_sql: OpenSql) -> None:
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from fluxor_actors.storage.sql import identify; i = identify(); print(i.host, i.pid, i.started, i.boot, flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    host, pid, started, boot = child.stdout.readline().strip().split(" ", 3)
    dead = EngineIdentity("dead", host, boot, int(pid), started)
    one, two = open_sql(), open_sql()
    one.register_engine(dead, 3600)
    begin(one, "p")
    two.register_engine(identify("two"), LEASE)
    assert two.claim("two", 10) == [], "it is alive"
    child.kill()
    # It has ended, and stays listed until its parent asks for its end.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert two.claim("two", 10) == ["p"]
    child.stdin.close()
    child.stdout.close()
    child.wait(WAIT)


def test_only_what_is_certain_counts_as_dead() -> None:
    me = identify()
    gone = evolve(me, pid=2**22 - 1)
    assert known_dead(gone)
    assert known_dead(evolve(me, started="1"))
    assert not known_dead(me)
    assert not known_dead(evolve(gone, host="elsewhere"))
    assert not known_dead(evolve(gone, boot="another"))
    assert not known_dead(evolve(gone, boot=""))
    assert not known_dead(evolve(gone, started=""))


def test_two_engines_never_claim_the_same_process(open_sql: OpenSql, clock: ManualClock) -> None:
    store = open_sql()
    names = [f"p{number}" for number in range(120)]
    store.append([Append(name, signals(1), header(name)) for name in names])
    start = threading.Barrier(4)

    def claim(number: int) -> list[str]:
        engine = open_engine(open_sql, f"e{number}", clock)
        start.wait(WAIT)
        claimed: list[str] = []
        while page := engine.claim(f"e{number}", 7):
            engine.append([Append(name, signals(2)) for name in page])
            claimed += page
        return claimed

    with ThreadPoolExecutor(4) as pool:
        found = [name for claimed in pool.map(claim, range(4)) for name in claimed]
    assert sorted(found) == sorted(names)


def test_a_finished_process_can_be_acquired_and_resumed(open_sql: OpenSql, clock: ManualClock) -> None:
    one, two = open_engine(open_sql, "one", clock), open_engine(open_sql, "two", clock)
    begin(one, "p")
    finish(one, "p", 2, ProcessState.FAILED)
    one.release("one")
    assert two.claim("two", 10) == []
    assert two.acquire("two", "p")
    assert two.acquire("two", "p")
    two.append([Append("p", signals(3), header("p", sequence=3))])
    two.release("two")
    three = open_engine(open_sql, "three", clock)
    assert three.claim("three", 10) == ["p"]


def test_a_store_is_one_engine_at_a_time(open_sql: OpenSql, clock: ManualClock) -> None:
    store = open_engine(open_sql, "one", clock)
    with pytest.raises(StoreError, match="open one for each"):
        store.register_engine(elsewhere("two"), LEASE)
    store.register_engine(elsewhere("one"), LEASE)
    store.release("one")
    store.register_engine(elsewhere("two"), LEASE)
