"""A queue between allocator and workers: all kinds carry, and none is trusted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from fluxor_actors import ProcessState
from fluxor_actors.errors import ConfigError, QueueError
from fluxor_actors.messaging import MemoryQueue, Message
from tests.engine.support import Failing, Gate, Make, echo, start
from tests.messaging.support import WAIT, Memory, Vendor, drained, got

CHAIN = "name: chain\npipeline:\n" + "".join(
    f"  t{number}: {{action: test:echo, input: {{value: {number}}}}}\n" for number in range(10)
)
FAN = """
name: fan
pipeline:
  fan:
    emit:
      forEach: ${items}
      as: item
      task: {work: {action: test:echo, input: {value: "${item}"}}}
    await: true
"""
GATED = "name: gated\npipeline: {a: {action: test:gated, input: {name: a, heed: true}}}"
RETRIED = "name: retried\npipeline: {a: {action: test:fail, retry: {maxRetries: 3, delay: 1ms}}}"
TIMED = "name: timed\npipeline: {a: {action: test:gated, input: {heed: true}, timeout: 50ms}}"


def completed(make: Make, queue: Any, *services: object, **options: Any) -> Any:
    engine = make(echo, *services, queue=queue, **options)
    handles = [start(engine, CHAIN) for _ in range(3)]
    assert [handle.wait(WAIT).state for handle in handles] == [ProcessState.COMPLETED] * 3
    assert len(start(engine, FAN, {"items": list(range(30))}).wait(WAIT).raise_for_error().output["fan"]) == 30
    return engine


def test_every_kind_of_queue_carries(make: Make, vendor: Vendor) -> None:
    queue = vendor.open()
    engine = completed(make, queue, Failing(2).action)
    assert start(engine, RETRIED).wait(WAIT).output["a"] == "well"
    engine.shutdown(WAIT)
    assert queue.consume(timeout=0) is None  # nothing of it is left
    assert queue.dead_letters() == []


def test_what_waits_for_a_worker_is_in_the_queue_no_more_than_there_are_workers(make: Make, gate: Gate) -> None:
    queue = Counting()
    engine = make(gate.action, queue=queue, workers=2)
    handles = [start(engine, GATED) for _ in range(6)]
    gate.begun()
    gate.begun()
    assert queue.published == 2
    gate.open()
    assert [handle.wait(WAIT).state for handle in handles] == [ProcessState.COMPLETED] * 6


class Counting(MemoryQueue[Any]):
    published = 0

    def publish(self, item: Any, id: str | None = None) -> str:  # noqa: A002
        self.published += 1
        return super().publish(item, id)


def test_cancellations_and_timeouts_reach_what_came_through_a_queue(make: Make, gate: Gate) -> None:
    engine = make(gate.action, queue=MemoryQueue[Any]())
    handle = start(engine, GATED)
    gate.begun()
    assert handle.cancel("enough") in (ProcessState.CANCEL_REQUESTED, ProcessState.CANCELLED)
    assert handle.wait(WAIT).state is ProcessState.CANCELLED
    assert start(engine, TIMED).wait(WAIT).state is ProcessState.COMPLETED  # the gate is open now


@pytest.mark.parametrize("item", [7, {"order": 1}, {"engine": "x", "ticket": "1"}, None], ids=str)
def test_what_is_no_ticket_becomes_a_dead_letter(make: Make, item: Any) -> None:
    queue = MemoryQueue[Any](max_retries=1, retry_delay=0)
    queue.publish(item, id="mine")
    completed(make, queue).shutdown(WAIT)
    assert [(letter.id, letter.payload) for letter in queue.dead_letters()] == [("mine", item)]


@pytest.mark.long
def test_two_engines_on_one_queue_do_not_take_each_others_work(make: Make, vendor: Vendor) -> None:
    first, second = make(echo, queue=vendor.open(), workers=4), make(echo, queue=vendor.open(), workers=4)
    begun = time.monotonic()
    handles = [start(engine, CHAIN) for _ in range(3) for engine in (first, second)]
    assert [handle.wait(WAIT).state for handle in handles] == [ProcessState.COMPLETED] * 6
    assert time.monotonic() - begun < 9.0  # none was lost and put in again
    first.shutdown(WAIT)
    assert start(second, CHAIN).wait(WAIT).state is ProcessState.COMPLETED
    second.shutdown(WAIT)
    assert vendor.made[0].consume(timeout=0) is None
    assert vendor.made[0].dead_letters() == []


def test_tickets_of_a_dead_engine_do_not_keep_the_next_one_up(make: Make) -> None:
    queue = MemoryQueue[Any]()
    for number in range(1, 9):
        queue.publish({"engine": "dead", "ticket": number, "sent": time.time()})
    queue.publish({"engine": "long dead", "ticket": 1, "sent": time.time() - 60})
    engine = completed(make, queue)
    engine.shutdown(WAIT)
    left = {(item["engine"], item["ticket"]) for item in drained(queue)}
    assert left == {("dead", number) for number in range(1, 9)}


class Faulty(MemoryQueue[Any]):
    """A queue that does not always do what it should: ``wrong`` says when it raises."""

    def __init__(self, wrong: Callable[[str], bool]) -> None:
        super().__init__(retry_delay=0)
        self.wrong = wrong

    def publish(self, item: Any, id: str | None = None) -> str:  # noqa: A002
        self._check("publish")
        return super().publish(item, id)

    def consume(self, timeout: float | None = None) -> Message[Any] | None:
        self._check("consume")
        return super().consume(timeout)

    def _check(self, name: str) -> None:
        if self.wrong(name):
            raise RuntimeError(f"{name} is broken") if name == "consume" else QueueError("away")


@pytest.mark.parametrize("broken", ["publish", "consume"])
def test_a_queue_that_fails_now_and_then_is_tried_again(make: Make, broken: str) -> None:
    calls = iter(range(1_000_000))
    completed(make, Faulty(lambda name: name == broken and next(calls) < 4)).shutdown(WAIT)


def test_a_queue_that_is_away_for_good_does_not_keep_the_engine_from_stopping(make: Make) -> None:
    engine = make(echo, queue=Faulty(lambda _: True))
    handle = start(engine, CHAIN)
    begun = time.monotonic()
    engine.shutdown(0.5)
    assert time.monotonic() - begun < 8.0
    assert handle.wait(0).timed_out


class Losing(MemoryQueue[Any]):
    """A queue that loses the first ticket."""

    lost = False

    def publish(self, item: Any, id: str | None = None) -> str:  # noqa: A002
        if not self.lost:
            self.lost = True
            return "lost"
        return super().publish(item, id)


@pytest.mark.long
def test_a_ticket_that_is_lost_is_put_in_again(make: Make) -> None:
    engine = make(echo, queue=Losing())
    assert start(engine, CHAIN).wait(60).state is ProcessState.COMPLETED


class Repeating(MemoryQueue[Any]):
    """A queue that delivers everything twice."""

    def publish(self, item: Any, id: str | None = None) -> str:  # noqa: A002
        super().publish(item, id)
        return super().publish(item, id)


def test_a_ticket_that_comes_twice_is_worked_on_once(make: Make) -> None:
    calls = Failing(0)
    engine = completed(make, Repeating(), calls.action)
    start(engine, "name: once\npipeline: {a: {action: test:fail}}").wait(WAIT)
    assert calls.calls == 1


def test_shutdown_under_load_leaves_nothing_in_the_queue(make: Make, vendor: Vendor) -> None:
    queue = vendor.open()
    engine = make(echo, queue=queue, workers=4)
    heard = threading.Event()
    engine.events.subscribe(lambda _: heard.set(), event_type="execution.completed")
    handle = start(engine, FAN, {"items": list(range(2_000))})
    assert heard.wait(WAIT)
    engine.shutdown(WAIT)
    assert handle.wait(0).timed_out
    assert queue.consume(timeout=0) is None
    if not isinstance(vendor, Memory):
        vendor.close()
        assert vendor.open().consume(timeout=0) is None


def test_work_goes_through_a_ticket_that_says_what_it_is_about(make: Make, gate: Gate) -> None:
    queue = Watched()
    engine = make(gate.action, queue=queue)
    handle = start(engine, GATED, process_id="p1")
    gate.begun()
    assert {**queue.seen[0], "engine": "", "sent": 0} == {
        "engine": "", "ticket": 1, "sent": 0,
        "process": "p1", "run": "gated/a", "attempt": 1, "service": "test", "method": "gated",
    }  # fmt: skip
    gate.open()
    assert handle.wait(WAIT).state is ProcessState.COMPLETED


class Watched(MemoryQueue[Any]):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def publish(self, item: Any, id: str | None = None) -> str:  # noqa: A002
        self.seen.append(item)
        return super().publish(item, id)


def test_what_is_no_queue_is_refused(make: Make) -> None:
    with pytest.raises(ConfigError, match="expected a queue"):
        make(queue="redis://localhost")


def test_the_queue_is_the_hosts_and_stays_open(make: Make) -> None:
    queue = MemoryQueue[Any]()
    completed(make, queue).shutdown(WAIT)
    queue.publish(1)
    assert got(queue).payload == 1
