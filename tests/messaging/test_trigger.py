"""Processes started by messages."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors import Fluxor
from fluxor_actors.clock import ManualClock
from fluxor_actors.errors import ConfigError, EngineStoppedError, LocationError, QueueError, StoreUnavailableError
from fluxor_actors.messaging import FilesystemQueue, MemoryQueue, Message, Trigger
from fluxor_actors.storage import MemoryStore
from tests.engine.support import Gate, Make, workflow
from tests.messaging.support import WAIT

ORDER = "name: order\npipeline: {a: {action: nop:nop, post: {got: '${n}'}}}"
GATED = "name: gated\npipeline: {a: {action: test:gated, input: {name: a}}}"
NEEDS = "name: needs\ninputs: {n: {type: int, required: true}}\npipeline: {a: {action: nop:nop, post: {got: '${n}'}}}"


def output(engine: Fluxor, process_id: str) -> dict[str, Any]:
    return engine.runtime.handle(process_id).wait(WAIT).raise_for_error().output


def test_a_process_is_started_for_each_message(make: Make) -> None:
    engine, queue = make(), MemoryQueue[Any]()
    trigger = engine.attach(Trigger(queue, workflow(engine, ORDER)))
    for number in range(5):
        queue.publish({"n": number}, id=str(number))
    assert trigger.until_idle(WAIT)
    assert [output(engine, f"order:{number}")["got"] for number in range(5)] == list(range(5))
    assert queue.consume(timeout=0) is None
    assert queue.dead_letters() == []


@pytest.mark.parametrize(
    "mapping",
    [lambda payload: {"n": payload["x"]}, "${message}", {"n": "${message.x}"}, "${ {n: message.x} }"],
    ids=["function", "payload", "mapping", "expression"],
)
def test_a_map_makes_the_initial_state(make: Make, mapping: Any) -> None:
    engine, queue = make(), MemoryQueue[Any]()
    engine.attach(Trigger(queue, workflow(engine, ORDER), mapping, name="in"))
    queue.publish({"x": 7, "n": 7}, id="a")
    wait_for(engine, "in:a")
    assert output(engine, "in:a")["got"] == 7


def wait_for(engine: Fluxor, process_id: str) -> None:
    """Wait until there is such a process."""
    begun = threading.Event()
    stop = engine.events.subscribe(lambda _: begun.set(), process_id=process_id)
    if not any(process.id == process_id for process in engine.runtime.processes()):
        assert begun.wait(WAIT)
    stop()


def test_a_message_that_comes_twice_starts_one_process(make: Make) -> None:
    engine, queue = make(), MemoryQueue[Any]()
    trigger = engine.attach(Trigger(queue, workflow(engine, ORDER)))
    for number in (1, 2):
        queue.publish({"n": number}, id="same")
    assert trigger.until_idle(WAIT)
    assert [process.id for process in engine.runtime.processes()] == ["order:same"]
    assert output(engine, "order:same")["got"] == 1


def test_any_id_of_a_message_will_do(make: Make) -> None:
    engine, queue = make(), MemoryQueue[Any]()
    trigger = engine.attach(Trigger(queue, workflow(engine, ORDER.replace("order", "an order ü"))))
    ids = ["a/b", " blank ", "x" * 500, "line\nbreak", "ü"]
    for message_id in ids * 2:
        queue.publish({"n": 1}, id=message_id)
    assert trigger.until_idle(WAIT)
    assert len(engine.runtime.processes()) == len(ids)
    assert queue.dead_letters() == []


def test_a_message_that_the_workflow_does_not_take_becomes_a_dead_letter(make: Make) -> None:
    engine, queue = make(), MemoryQueue[Any](max_retries=2, retry_delay=0)
    trigger = engine.attach(Trigger(queue, workflow(engine, NEEDS)))
    for item in ({"n": "many"}, [1], {"n": 3}):
        queue.publish(item, id=str(item)[:2])
    assert trigger.until_idle(WAIT)
    letters = queue.dead_letters()
    assert [(letter.payload, letter.attempts) for letter in letters] == [({"n": "many"}, 3), ([1], 3)]
    assert "InputError" in letters[0].error
    assert "expected a mapping" in letters[1].error
    assert len(engine.runtime.processes()) == 1


def test_what_a_map_raises_refuses_the_message(make: Make) -> None:
    engine, queue = make(), MemoryQueue[Any](max_retries=0)
    trigger = engine.attach(Trigger(queue, workflow(engine, ORDER), lambda payload: {"n": 1 / payload}))
    queue.publish(0)
    queue.publish(1)
    assert trigger.until_idle(WAIT)
    assert [letter.error for letter in queue.dead_letters()] == ["ZeroDivisionError: division by zero"]
    assert len(engine.runtime.processes()) == 1


def test_no_more_are_pending_than_may_be(make: Make, gate: Gate) -> None:
    engine, queue = make(gate.action, workers=8), MemoryQueue[Any]()
    trigger = engine.attach(Trigger(queue, workflow(engine, GATED), max_pending=2))
    for number in range(5):
        queue.publish({}, id=str(number))
    gate.begun()
    gate.begun()
    assert trigger.pending == 2
    assert len(engine.runtime.processes()) == 2
    assert not trigger.until_idle(0.1)
    gate.open()
    assert trigger.until_idle(WAIT)
    for number in range(5):
        assert engine.runtime.handle(f"gated:{number}").wait(WAIT).state == "completed"
    assert trigger.pending == 0


class Stubborn(MemoryStore):
    """A store that can be taken away."""

    away = False

    def append(self, batch: Any) -> None:
        if self.away:
            asked.set()
            raise StoreUnavailableError("away")
        super().append(batch)


asked = threading.Event()


def test_messages_wait_while_the_store_is_away(make: Make) -> None:
    asked.clear()
    store, clock = Stubborn(), ManualClock()
    engine, queue = make(store=store), MemoryQueue[Any](max_retries=0, clock=clock)
    store.away = True
    trigger = engine.attach(Trigger(queue, workflow(engine, ORDER)))
    queue.publish({"n": 1}, id="a")
    assert asked.wait(WAIT)
    store.away = False
    wait_for(engine, "order:a")
    assert output(engine, "order:a")["got"] == 1
    assert trigger.pending == 0
    assert queue.dead_letters() == []


def test_a_trigger_ends_with_its_engine_and_leaves_its_messages(make: Make, gate: Gate) -> None:
    engine, queue = make(gate.action), MemoryQueue[Any]()
    trigger = engine.attach(Trigger(queue, workflow(engine, GATED), max_pending=1))
    queue.publish({}, id="a")
    queue.publish({}, id="b")
    gate.begun()
    gate.open()
    engine.shutdown(WAIT)
    assert trigger.stop()
    with pytest.raises(EngineStoppedError):
        engine.attach(Trigger(queue, workflow(engine, ORDER)))


def test_stopped_by_hand_it_takes_nothing_more(make: Make) -> None:
    engine, queue = make(), MemoryQueue[Any]()
    trigger = engine.attach(Trigger(queue, workflow(engine, ORDER)))
    assert trigger.stop(WAIT)
    queue.publish({"n": 1})
    message = queue.consume(timeout=0)
    assert message is not None
    with pytest.raises(ConfigError, match="once"):
        engine.attach(trigger)


class Broken(MemoryQueue[Any]):
    """A queue that cannot be read at first."""

    fails = 2

    def consume(self, timeout: float | None = None) -> Message[Any] | None:
        if self.fails:
            self.fails -= 1
            raise QueueError("away")
        return super().consume(timeout)


def test_a_queue_that_is_away_is_tried_again(make: Make) -> None:
    engine, queue = make(), Broken()
    queue.publish({"n": 1}, id="a")
    trigger = engine.attach(Trigger(queue, workflow(engine, ORDER)))
    assert trigger.until_idle(WAIT)
    assert output(engine, "order:a")["got"] == 1


def test_wrong_settings_are_refused(make: Make) -> None:
    engine, queue = make(), MemoryQueue[Any]()
    with pytest.raises(ConfigError, match="max_pending"):
        Trigger(queue, "order", max_pending=0)
    with pytest.raises(ConfigError, match="name"):
        Trigger(queue, "order", name="a/b")
    with pytest.raises(LocationError):
        engine.attach(Trigger(queue, "no/such/file.yaml"))


def test_a_busy_engine_is_tried_again(make: Make, gate: Gate) -> None:
    engine, queue = make(gate.action, max_pending=1, on_busy="raise"), MemoryQueue[Any](max_retries=0)
    trigger = engine.attach(Trigger(queue, workflow(engine, GATED), max_pending=None))
    for number in range(3):
        queue.publish({}, id=str(number))
    gate.begun()
    assert not trigger.until_idle(0.2)
    gate.open()
    assert trigger.until_idle(WAIT)
    assert {engine.runtime.handle(f"gated:{number}").wait(WAIT).state for number in range(3)} == {"completed"}
    assert queue.dead_letters() == []


class Stuck(MemoryQueue[Any]):
    """A queue whose messages cannot be settled at first, and which raises what no queue should."""

    fails = 2
    settled = 0

    def consume(self, timeout: float | None = None) -> Message[Any] | None:
        message = super().consume(timeout)
        if message is not None:
            message.receipt = _Late(self, message.receipt)
        return message


class _Late:
    def __init__(self, queue: Stuck, receipt: Any) -> None:
        self.queue = queue
        self.receipt = receipt

    def ack(self) -> bool:
        return self._settle(self.receipt.ack)

    def nack(self, error: str) -> bool:
        return self._settle(lambda: self.receipt.nack(error))

    def release(self) -> bool:
        return self._settle(self.receipt.release)

    def _settle(self, settle: Any) -> bool:
        if self.queue.fails:
            self.queue.fails -= 1
            raise RuntimeError("cannot be settled")
        self.queue.settled += 1
        return bool(settle())


def test_what_cannot_be_settled_is_tried_again(make: Make) -> None:
    engine, queue = make(), Stuck(max_retries=0)
    trigger = engine.attach(Trigger(queue, workflow(engine, ORDER)))
    queue.publish({"n": 1}, id="a")
    queue.publish([], id="b")
    assert trigger.until_idle(WAIT)
    assert (output(engine, "order:a")["got"], queue.settled) == (1, 2)
    assert [letter.id for letter in queue.dead_letters()] == ["b"]


def test_engines_on_one_store_and_one_queue_start_each_process_once(make: Make, tmp_path: Path) -> None:
    triggers, queues = [], []
    for _ in range(2):
        queue = FilesystemQueue[Any](tmp_path / "orders", sync=False)
        engine = make(store=f"sqlite:///{tmp_path}/runs.db", durability="relaxed")
        triggers.append(engine.attach(Trigger(queue, workflow(engine, ORDER))))
        queues.append(queue)
    for number in range(40):
        queues[0].publish({"n": number % 20}, id=str(number % 20))
    assert all(trigger.until_idle(WAIT) for trigger in triggers)
    assert len(engine.runtime.processes()) == 20
    assert [output(engine, f"order:{number}")["got"] for number in range(20)] == list(range(20))
    engine.shutdown(WAIT)
    for queue in queues:
        queue.close()
