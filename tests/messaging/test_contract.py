"""What holds for every kind of queue."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from attrs import frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fluxor_actors.errors import ConfigError, QueueError, UnrepresentableError
from fluxor_actors.messaging import Queue, TypedCodec
from tests.messaging.support import WAIT, Call, Kombu, Memory, Vendor, drained, got

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@frozen
class Order:
    number: int
    lines: tuple[str, ...] = ()


def test_first_in_is_first_out(vendor: Vendor) -> None:
    queue = vendor.open()
    for number in range(30):
        queue.publish(number)
    assert drained(queue) == list(range(30))
    assert queue.consume(timeout=0) is None


def test_a_message_has_its_id_or_one_of_its_own(vendor: Vendor) -> None:
    queue = vendor.open()
    assert queue.publish(1, id="mine / ü") == "mine / ü"
    made = queue.publish(2)
    assert [got(queue).id, got(queue).id] == ["mine / ü", made]
    assert queue.publish(3) != made
    with pytest.raises(QueueError, match="id of a message"):
        queue.publish(3, id=7)  # type: ignore[arg-type]  # what the type checker would have found


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(item=PLAIN)
def test_plain_data_come_out_as_they_went_in(vendor: Vendor, item: Any) -> None:
    queue = vendor.made[0] if vendor.made else vendor.open()
    queue.publish(item)
    message = got(queue)
    assert message.payload == item
    assert type(message.payload) is type(item)
    assert message.ack()


def test_what_is_not_plain_data_is_refused(vendor: Vendor) -> None:
    queue = vendor.open()
    with pytest.raises(UnrepresentableError):
        queue.publish(threading.Lock())
    assert queue.consume(timeout=0) is None


def test_a_codec_makes_items_of_a_type(vendor: Vendor) -> None:
    queue = vendor.open(codec=TypedCodec(Order), retry_delay=0, max_retries=0)
    queue.publish(Order(7, ("a", "b")))
    message = got(queue)
    assert message.payload == Order(7, ("a", "b"))
    message.nack()
    assert [letter.payload for letter in queue.dead_letters()] == [Order(7, ("a", "b"))]


def test_consumers_do_not_share_what_they_get(vendor: Vendor) -> None:
    queue = vendor.open(retry_delay=0)
    item = {"list": [1]}
    queue.publish(item)
    item["list"].append(2)
    first = got(queue)
    first.payload["list"].append(3)
    first.nack()
    assert got(queue).payload == {"list": [1]}


def test_a_message_is_nobody_elses_until_it_is_settled(vendor: Vendor) -> None:
    queue, other = vendor.open(), vendor.open()
    queue.publish("a")
    message = got(queue)
    assert other.consume(timeout=0) is None
    assert message.ack()
    assert other.consume(timeout=0) is None


def test_settling_twice_does_nothing(vendor: Vendor) -> None:
    queue = vendor.open(retry_delay=0)
    queue.publish("a")
    message = got(queue)
    assert message.ack()
    assert not message.ack()
    assert not message.nack("late")
    assert not message.release()
    assert queue.consume(timeout=0) is None
    assert queue.dead_letters() == []


def test_what_is_refused_comes_again_after_the_delay_and_then_is_a_dead_letter(vendor: Vendor) -> None:
    queue = vendor.open(max_retries=2, retry_delay=0.5)
    queue.publish({"n": 1}, id="a")
    for attempt in (1, 2, 3):
        message = got(queue) if attempt == 1 else due(vendor, queue)
        assert (message.id, message.attempts, message.payload) == ("a", attempt, {"n": 1})
        assert message.error == ("" if attempt == 1 else f"ValueError: no {attempt - 1}")
        assert message.nack(ValueError(f"no {attempt}"))
        assert queue.consume(timeout=0) is None
    vendor.clock.advance(100.0)
    assert queue.consume(timeout=0) is None
    [letter] = queue.dead_letters()
    assert (letter.id, letter.attempts, letter.payload, letter.error) == ("a", 3, {"n": 1}, "ValueError: no 3")


def due(vendor: Vendor, queue: Queue[Any]) -> Any:
    """The message that waits for its delay."""
    vendor.clock.advance(0.5)
    return got(queue)


def test_those_behind_go_on_while_one_waits(vendor: Vendor) -> None:
    queue = vendor.open(retry_delay=0.5)
    for number in range(3):
        queue.publish(number)
    got(queue).nack("not now")
    assert drained(queue) == [1, 2]
    assert due(vendor, queue).payload == 0


def test_what_comes_back_takes_its_old_place(vendor: Vendor) -> None:
    queue = vendor.open(retry_delay=0.5)
    for number in range(3):
        queue.publish(number)
    got(queue).nack("not now")
    vendor.clock.advance(0.5)
    first = got(queue)
    assert first.payload in ((0,) if vendor.exact else (0, 1))
    assert first.ack()
    rest = {got(queue).payload, got(queue).payload}
    assert rest | {first.payload} == {0, 1, 2}


def test_dead_letters_stay_in_order_and_can_be_replayed_or_deleted(vendor: Vendor) -> None:
    queue = vendor.open(max_retries=0)
    for number in range(4):
        queue.publish(number, id=str(number))
        got(queue).nack(f"error {number}")
    for _ in range(2):
        assert [letter.payload for letter in queue.dead_letters()] == [0, 1, 2, 3]
    letters = queue.dead_letters()
    assert not letters[0].nack()
    assert not letters[0].release()
    assert letters[0].ack()
    assert queue.replay(letters[2])
    assert not queue.replay(letters[2])
    assert [letter.id for letter in queue.dead_letters()] == ["1", "3"]
    again = got(queue)
    assert (again.id, again.attempts, again.payload) == ("2", 1, 2)
    assert not queue.replay(again)


def test_what_is_released_comes_at_once_and_is_not_counted(vendor: Vendor) -> None:
    queue = vendor.open(max_retries=0)
    queue.publish("a")
    for _ in range(3):
        message = got(queue)
        assert message.attempts == 1
        assert message.release()
    assert got(queue).ack()


@pytest.mark.parametrize("vendor", ["memory", "filesystem", "redis"], indirect=True)
def test_a_dead_consumers_message_comes_again(vendor: Vendor) -> None:
    queue = vendor.open(max_retries=1, retry_delay=0.5)
    queue.publish("a", id="x")
    vendor.orphan(queue)
    message = revived(vendor, queue)
    assert (message.id, message.attempts, message.error) == ("x", 2, "its consumer died")
    assert message.ack()


def revived(vendor: Vendor, queue: Queue[Any]) -> Any:
    """The message of a consumer that has died. When a broker learns of that is its own affair; the delay starts then."""
    deadline = WAIT
    while deadline > 0:
        message = queue.consume(timeout=0.2 if isinstance(vendor, Kombu) else 0)
        if message is not None:
            return message
        vendor.clock.advance(0.5)
        deadline -= 0.2
    raise AssertionError("it has not come back")


def test_closing_gives_back_what_is_not_settled(vendor: Vendor) -> None:
    queue = vendor.open()
    queue.publish("a")
    message = got(queue)
    queue.close()
    queue.close()
    assert not message.ack()
    if not isinstance(vendor, Memory):  # which is gone with its only object
        assert got(vendor.open()).attempts == 1


@pytest.mark.parametrize("method", ["publish", "consume", "dead_letters"])
def test_a_closed_queue_says_so(vendor: Vendor, method: str) -> None:
    queue = vendor.open()
    queue.close()
    with pytest.raises(QueueError, match="closed"):
        getattr(queue, method)(*(["a"] if method == "publish" else []))


def test_one_that_waits_is_woken_by_a_publisher(vendor: Vendor) -> None:
    queue, other = vendor.open(), vendor.open()
    waiting = [Call(lambda: got(queue)) for _ in range(2)]
    other.publish(1)
    other.publish(2)
    messages = [call.result() for call in waiting]
    assert sorted(message.payload for message in messages if message is not None) == [1, 2]


def test_one_that_waits_is_told_when_the_queue_is_closed(vendor: Vendor) -> None:
    queue = vendor.open()
    waiting = Call(queue.consume)
    queue.close()
    with pytest.raises(QueueError):
        waiting.result()


def test_many_threads_get_every_message_once(vendor: Vendor) -> None:
    queue, most = vendor.open(), 120
    seen: list[int] = []
    lock = threading.Lock()

    def work() -> None:
        while (message := queue.consume()) is not None:
            with lock:
                seen.append(message.payload)
                if len(seen) == most:
                    done.set()
            message.ack()

    done = threading.Event()
    workers = [Call(work) for _ in range(4)]

    def publish(start: int) -> None:
        for number in range(start, start + 30):
            queue.publish(number)

    publishers = [Call(partial(publish, start)) for start in range(0, most, 30)]
    for publisher in publishers:
        publisher.result()
    assert done.wait(WAIT)
    queue.close()
    for worker in workers:
        with pytest.raises(QueueError):
            worker.result()
    assert sorted(seen) == list(range(most))


@pytest.mark.parametrize(
    "options",
    [{"max_retries": -1}, {"max_retries": True}, {"max_retries": 1.5}, {"retry_delay": -1}, {"retry_delay": "soon"}],
)
def test_settings_that_make_no_sense_are_refused(vendor: Vendor, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        vendor.open(**options)
