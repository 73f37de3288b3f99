"""The journal: what waits is committed together, in order, and nobody is told of what is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from typing import Any

import pytest
from attrs import evolve

from fluxor_actors import OwnershipLostError, StoreUnavailableError
from fluxor_actors.actors.event_service import EventService
from fluxor_actors.actors.health import Health
from fluxor_actors.actors.journal import ThreadedJournal
from fluxor_actors.actors.messages import WriteFailed, Written
from fluxor_actors.clock import SystemClock
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage import Append, MemoryStore
from tests.engine.support import WAIT, Heard
from tests.storage.contract import header, signals


class Slow(MemoryStore):
    """Waits before it commits, and fails as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.entered = threading.Event()
        self.batches: list[list[str]] = []
        self.fails: dict[str, BaseException] = {}
        self.away = False

    def append(self, batch: Sequence[Append]) -> None:
        self.entered.set()
        assert self.open.wait(WAIT)
        if self.away:
            raise StoreUnavailableError("it is away")
        for each in batch:
            if each.process_id in self.fails:
                raise self.fails[each.process_id]
        super().append(batch)
        self.batches.append([each.process_id for each in batch])


class Told:
    """A supervisor that only listens."""

    def __init__(self) -> None:
        self.messages: SimpleQueue[Any] = SimpleQueue()

    def tell(self, message: Any) -> None:
        self.messages.put(message)

    def next(self) -> Any:
        return self.messages.get(timeout=WAIT)


def write(process_id: str, first: int = 1) -> Append:
    return Append(process_id, signals(first), evolve(header(process_id), state=ProcessState.RUNNING))


@pytest.fixture
def store() -> Slow:
    return Slow()


@pytest.fixture
def events() -> Iterator[EventService]:
    events = EventService()
    yield events
    events.shutdown(WAIT)


@pytest.fixture
def journal(store: Slow, events: EventService) -> Iterator[ThreadedJournal]:
    journal = ThreadedJournal(store, health=Health(events, SystemClock()))
    yield journal
    store.open.set()
    assert journal.stop(WAIT)


def test_all_who_wait_are_committed_together(store: Slow, journal: ThreadedJournal) -> None:
    told = [Told() for _ in range(50)]
    journal.write(write("first"), Told())
    assert store.entered.wait(WAIT)
    for number, each in enumerate(told):
        assert journal.write(write(f"p{number}"), each) is False
    assert told[0].messages.empty()
    store.open.set()
    assert all(isinstance(each.next(), Written) for each in told)
    assert store.batches == [["first"], [f"p{number}" for number in range(50)]]


def test_writes_of_a_process_stay_in_order(store: Slow, journal: ThreadedJournal) -> None:
    store.open.set()
    told = Told()
    for number in range(1, 201):
        journal.write(write("p", number), told)
    assert all(isinstance(told.next(), Written) for _ in range(200))
    found = store.read("p")
    assert found is not None
    assert [record.first for record in found.records] == list(range(1, 201))


def test_one_that_is_refused_costs_the_others_nothing(store: Slow, journal: ThreadedJournal) -> None:
    store.fails["bad"] = OwnershipLostError("it is somebody else's")
    journal.write(write("first"), Told())
    assert store.entered.wait(WAIT)
    good, bad, other = Told(), Told(), Told()
    for name, each in (("good", good), ("bad", bad), ("other", other)):
        journal.write(write(name), each)
    store.open.set()
    assert isinstance(good.next(), Written)
    assert isinstance(other.next(), Written)
    answer = bad.next()
    assert isinstance(answer, WriteFailed)
    assert isinstance(answer.error, OwnershipLostError)
    assert [each.id for each in store.headers()] == ["first", "good", "other"]


def test_while_the_store_is_away_nobody_is_answered_and_then_all_are(
    store: Slow, journal: ThreadedJournal, events: EventService
) -> None:
    heard = Heard()
    events.subscribe(heard)
    store.away = True
    store.open.set()
    told = Told()
    journal.write(write("p"), told)
    degraded = heard.until("engine.degraded")
    assert degraded.data["reason"] == "it is away"
    journal.write(write("p", 2), told)
    assert told.messages.empty()
    store.away = False
    assert isinstance(told.next(), Written)
    assert isinstance(told.next(), Written)
    heard.until("engine.recovered")
    assert heard.types() == ["engine.degraded", "engine.recovered"]


def test_flush_answers_when_what_was_before_it_is_committed(store: Slow, journal: ThreadedJournal) -> None:
    assert journal.flush(0.01)  # nothing was written
    journal.write(write("p"), Told())
    assert not journal.flush(0.05)
    store.open.set()
    assert journal.flush(WAIT)
    assert store.header("p") is not None


def test_stop_commits_what_waits(store: Slow, events: EventService) -> None:
    journal = ThreadedJournal(store)
    store.open.set()
    told = Told()
    for number in range(20):
        journal.write(write(f"p{number}"), told)
    assert journal.stop(WAIT)
    assert len(list(store.headers())) == 20
    assert all(isinstance(told.next(), Written) for _ in range(20))


def test_stop_gives_up_on_a_store_that_stays_away_and_says_so(store: Slow) -> None:
    journal = ThreadedJournal(store)
    store.away = True
    store.open.set()
    told = Told()
    journal.write(write("p"), told)
    assert journal.stop(0.1)
    answer = told.next()
    assert isinstance(answer, WriteFailed)
    assert isinstance(answer.error, StoreUnavailableError)
    assert store.header("p") is None
