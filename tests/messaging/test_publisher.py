"""What happens to processes, in a queue."""

from __future__ import annotations

from typing import Any

from fluxor_actors.errors import QueueError
from fluxor_actors.messaging import MemoryQueue, Publisher
from tests.engine.support import Failing, Make, start
from tests.messaging.support import got

ONE = "name: one\npipeline: {a: {action: nop:nop, post: {done: true}}}"
FAILS = "name: fails\npipeline: {a: {action: test:fail}}"


def all_of(queue: MemoryQueue[Any]) -> list[Any]:
    found = []
    while (message := queue.consume(timeout=0)) is not None:
        found.append(message.payload)
        message.ack()
    return found


def test_the_life_of_processes_is_published_in_order(make: Make) -> None:
    engine, queue = make(Failing().action), MemoryQueue[Any]()
    engine.attach(Publisher(queue))
    start(engine, ONE, process_id="good").wait(10)
    start(engine, FAILS, process_id="bad").wait(10)
    engine.shutdown()
    assert [(item["process_id"], item["event_type"]) for item in all_of(queue)] == [
        ("good", "process.started"), ("good", "process.completed"), ("bad", "process.started"), ("bad", "process.failed"),
    ]  # fmt: skip


def test_types_processes_and_a_map_choose(make: Make) -> None:
    engine, queue = make(), MemoryQueue[Any]()
    engine.attach(
        Publisher(
            queue,
            ("execution.completed", "process.completed"),
            lambda event: event.context.task_id or None,
            process_id="b",
        )
    )
    for name in "abc":
        start(engine, ONE, process_id=name).wait(10)
    engine.shutdown()
    assert [item.rpartition("/")[2] for item in all_of(queue)] == ["a", "one"]  # the task, and the task around it


class Broken(MemoryQueue[Any]):
    """A queue that takes nothing at first."""

    def __init__(self, fails: int) -> None:
        super().__init__()
        self.fails = fails

    def publish(self, item: Any, id: str | None = None) -> str:  # noqa: A002
        if self.fails:
            self.fails -= 1
            raise QueueError("away")
        return super().publish(item, id)


def test_while_the_queue_is_away_it_is_tried_again(make: Make) -> None:
    engine, queue = make(), Broken(2)
    publisher = engine.attach(Publisher(queue, "process.completed"))
    start(engine, ONE, process_id="a").wait(10)
    assert got(queue).payload["process_id"] == "a"
    assert publisher.failures == 0


def test_at_shutdown_it_is_not_tried_for_ever(make: Make) -> None:
    engine, queue = make(), Broken(1_000_000)
    publisher = engine.attach(Publisher(queue, "process.completed"))
    start(engine, ONE).wait(10)
    engine.shutdown()
    assert publisher.failures == 1


def test_an_item_that_is_wrong_is_left_out(make: Make) -> None:
    engine, queue = make(), MemoryQueue[Any]()
    publisher = engine.attach(
        Publisher(queue, "process.completed", lambda event: object() if event.context.process_id == "a" else 1)
    )
    start(engine, ONE, process_id="a").wait(10)
    start(engine, ONE, process_id="b").wait(10)
    engine.shutdown()
    assert all_of(queue) == [1]
    assert publisher.failures == 1


def test_stopped_by_hand_it_publishes_nothing_more(make: Make) -> None:
    engine, queue = make(), MemoryQueue[Any]()
    publisher = engine.attach(Publisher(queue))
    publisher.stop()
    publisher.stop()
    start(engine, ONE).wait(10)
    engine.shutdown()
    assert all_of(queue) == []
