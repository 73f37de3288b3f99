"""What happens to processes, in a queue."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from fluxor_actors.actors.event_service import EventService
from fluxor_actors.errors import QueueError
from fluxor_actors.messaging import FilesystemQueue, MemoryQueue, Publisher, Trigger
from tests.engine.support import Failing, Make, start, workflow
from tests.messaging.support import WAIT, got

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


def test_at_shutdown_a_queue_that_is_away_for_a_moment_is_waited_for(make: Make) -> None:
    engine, queue = make(), Broken(1_000_000)
    publisher = engine.attach(Publisher(queue, "process.completed"))
    for name in "ab":
        start(engine, ONE, process_id=name).wait(10)
    publisher.detach(0)  # as the engine does first
    queue.fails = 3
    engine.shutdown()
    assert ([item["process_id"] for item in all_of(queue)], publisher.failures) == (["a", "b"], 0)


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


def test_a_message_is_known_by_its_number_in_the_journal(make: Make) -> None:
    engine, queue = make(), MemoryQueue[Any]()
    engine.attach(Publisher(queue, None))
    start(engine, ONE, process_id="a").wait(10)
    engine.shutdown()
    ids = {}
    while (message := queue.consume(timeout=0)) is not None:
        ids[message.id] = message.payload["event_type"]
    numbered = [(int(key.partition("/")[2]), value) for key, value in ids.items() if key.startswith("a/")]
    assert numbered == sorted(numbered)
    assert numbered[0] == (1, "process.started")
    assert numbered[-1][1] == "process.completed"
    assert {"execution.completed", "state.changed", "progress.changed"} <= set(ids.values())


class Slow(MemoryQueue[Any]):
    """A queue that takes nothing until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.let = threading.Event()

    def publish(self, item: Any, id: str | None = None) -> str:  # noqa: A002
        self.asked.set()
        assert self.let.wait(WAIT)
        return super().publish(item, id)


def test_no_process_waits_for_a_slow_queue_and_shutdown_publishes_what_is_left(make: Make) -> None:
    engine, queue = make(), Slow()
    publisher = engine.attach(Publisher(queue, "process.completed"))
    for number in range(50):
        assert start(engine, ONE, process_id=str(number)).wait(10).state == "completed"
    assert queue.asked.wait(WAIT)
    queue.let.set()
    engine.shutdown(WAIT)
    assert [item["process_id"] for item in all_of(queue)] == [str(number) for number in range(50)]
    assert (publisher.dropped, publisher.failures) == (0, 0)


def test_what_the_buffer_does_not_hold_is_lost_and_counted(make: Make) -> None:
    events = EventService(buffer=3)
    engine, queue = make(event_service=events), Slow()
    publisher = engine.attach(Publisher(queue, "process.completed"))
    start(engine, ONE, process_id="0").wait(10)
    assert queue.asked.wait(WAIT)
    for number in range(1, 10):
        start(engine, ONE, process_id=str(number)).wait(10)
    engine.shutdown(WAIT)
    queue.let.set()
    assert events.shutdown(WAIT)
    assert [item["process_id"] for item in all_of(queue)] == ["0", "7", "8", "9"]
    assert publisher.dropped == 6


def test_at_shutdown_a_queue_that_is_away_is_not_asked_for_each_event(make: Make) -> None:
    engine, queue = make(), Broken(1_000_000)
    publisher = engine.attach(Publisher(queue, "process.completed"))
    for number in range(30):
        start(engine, ONE, process_id=str(number)).wait(10)
    begun = time.monotonic()
    engine.shutdown()
    assert publisher.failures == 30
    assert time.monotonic() - begun < 5
    assert 1_000_000 - queue.fails < 40  # those that were tried for a while before it was given up


def test_events_go_to_a_folder_and_from_there_to_another_engine(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "events"
    first, second = make(), make()
    told, heard = FilesystemQueue[Any](folder, sync=False), FilesystemQueue[Any](folder, sync=False)
    first.attach(Publisher(told, "process.completed"))
    after = workflow(second, "name: after\npipeline: {a: {action: nop:nop, post: {of: '${process}'}}}")
    trigger = second.attach(Trigger(heard, after, {"process": "${message.process_id}"}))
    for name in "abc":
        start(first, ONE, process_id=name).wait(10)
    first.shutdown(WAIT)
    assert trigger.until_idle(WAIT)
    ends = {second.runtime.handle(process.id).wait(WAIT).output["of"] for process in second.runtime.processes()}
    assert ends == {"a", "b", "c"}
    second.shutdown(WAIT)
    told.close()
    heard.close()
