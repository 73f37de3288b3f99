"""What holds of queues on brokers: a broker that is away, or silent, and what others put there."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import kombu as untyped
import pytest

from fluxor_actors.errors import ConfigError, QueueError
from fluxor_actors.messaging import KombuQueue
from tests.messaging.server import Server
from tests.messaging.support import Call, drained, got

kombu: Any = untyped


@pytest.fixture
def queue(redis: Server, request: pytest.FixtureRequest) -> Iterator[KombuQueue[Any]]:
    queue = KombuQueue[Any](redis.url, request.node.name, max_retries=0, retry_delay=0)
    yield queue
    queue.close()


def put(redis: Server, queue: KombuQueue[Any], body: Any, **properties: Any) -> None:
    """Publish as a program does that knows nothing of this package."""
    with kombu.Connection(redis.url) as connection, connection.Producer() as producer:
        producer.publish(body, routing_key=queue.name, **properties)


def test_other_programs_publish_json_with_an_id(redis: Server, queue: KombuQueue[Any]) -> None:
    put(redis, queue, {"order": 1}, serializer="json", message_id="theirs")
    message = got(queue)
    assert (message.id, message.payload, message.attempts) == ("theirs", {"order": 1}, 1)
    assert message.nack("no")
    assert [(letter.id, letter.payload, letter.error) for letter in queue.dead_letters()] == [
        ("theirs", {"order": 1}, "no")
    ]


@pytest.mark.parametrize(
    ("body", "properties", "why"),
    [
        ("{", {"content_type": "application/json", "content_encoding": "utf-8", "message_id": "a"}, "not a message"),
        (b"\xff\x00", {"content_type": "application/data", "content_encoding": "binary", "message_id": "a"}, "not a message"),
        ({"order": 1}, {"serializer": "json", "headers": {"id": 7, "attempts": "x"}}, ""),
    ],
    ids=["damaged", "binary", "odd-headers"],
)  # fmt: skip
def test_what_is_no_message_becomes_a_dead_letter_and_the_others_come(
    redis: Server, queue: KombuQueue[Any], body: Any, properties: dict[str, Any], why: str
) -> None:
    queue.publish("before")
    put(redis, queue, body, **properties)
    queue.publish("after")
    if not why:
        assert drained(queue) == ["before", body, "after"]
        return
    assert drained(queue) == ["before", "after"]
    [letter] = queue.dead_letters()
    assert why in letter.error
    with pytest.raises(QueueError, match=why):
        _ = letter.payload
    assert letter.ack()
    assert queue.dead_letters() == []


def test_a_message_without_an_id_gets_one_as_a_dead_letter(redis: Server, queue: KombuQueue[Any]) -> None:
    put(redis, queue, {"order": 1}, serializer="json")
    assert queue.consume(timeout=0) is None
    [letter] = queue.dead_letters()
    assert letter.payload == {"order": 1}
    assert "it has no id" in letter.error
    assert queue.replay(letter)
    assert (got(queue).id, queue.dead_letters()) == (letter.id, [])


def test_messages_survive_the_brokers_restart_and_a_queue_goes_on_by_itself(
    redis: Server, queue: KombuQueue[Any]
) -> None:
    queue.publish(1)
    queue.publish(2)
    taken = got(queue)
    redis.stop()
    try:
        with pytest.raises(QueueError, match="cannot be used"):
            queue.publish(3)
        with pytest.raises(QueueError, match="cannot be used"):
            queue.consume(timeout=1)
        with pytest.raises(QueueError, match="cannot be used"):
            queue.dead_letters()
    finally:
        redis.start()
    assert not taken.ack()  # it will come again, when the broker knows that nobody has it
    queue.publish(3)
    assert drained(queue) == [2, 3]


def test_one_that_waits_is_told_when_the_broker_goes(redis: Server, queue: KombuQueue[Any]) -> None:
    waiting = Call(queue.consume)
    redis.stop()
    try:
        with pytest.raises(QueueError, match="cannot be used"):
            waiting.result()
    finally:
        redis.start()


def test_a_broker_that_does_not_answer_is_given_up(redis: Server, request: pytest.FixtureRequest) -> None:
    queue = KombuQueue[Any](redis.url, request.node.name, transport_options={"socket_timeout": 0.3})
    queue.publish(1)
    assert got(queue).ack()
    os.kill(redis.pid, signal.SIGSTOP)
    try:
        with pytest.raises(QueueError, match="cannot be used"):
            Call(lambda: queue.publish(2)).result()
    finally:
        os.kill(redis.pid, signal.SIGCONT)
    queue.publish(3)
    assert drained(queue)[-1] == 3
    queue.close()


def test_secrets_of_the_url_are_in_no_error(request: pytest.FixtureRequest) -> None:
    queue = KombuQueue[Any]("redis://:canary@127.0.0.1:1/0", request.node.name)
    with pytest.raises(QueueError) as raised:
        queue.publish(1)
    assert "canary" not in str(raised.value)
    queue.close()


def test_messages_must_be_visible_again_later_than_they_are_retried() -> None:
    with pytest.raises(ConfigError, match="visibility_timeout"):
        KombuQueue("redis://localhost", "q", visibility_timeout=1.0, retry_delay=2.0)


def test_what_is_written_is_what_other_programs_can_read(redis: Server, queue: KombuQueue[Any]) -> None:
    queue.publish({"ü": [1, None]}, id="mine")
    with kombu.Connection(redis.url) as connection:
        message = connection.channel().basic_get(queue.name, no_ack=True)
        assert message is not None
        assert json.loads(message.body) == {"ü": [1, None]}
        assert message.headers["id"] == "mine"
    assert queue.consume(timeout=0) is None


def test_what_is_not_even_from_this_client_is_kept_in_a_list(redis: Server, queue: KombuQueue[Any]) -> None:
    queue.publish("before")
    with kombu.Connection(redis.url) as connection:
        client = connection.default_channel.client
        for junk in ("junk", "[1]", "{}", '{"properties": {"delivery_tag": "x"}}'):
            client.lpush(queue.name, junk)
        queue.publish("after")
        assert drained(queue) == ["before", "after"]
        assert client.llen(f"{queue.name}.damaged") == 4


def test_keys_may_have_a_prefix(redis: Server, request: pytest.FixtureRequest) -> None:
    options = {"global_keyprefix": "mine:"}
    queue = KombuQueue[Any](redis.url, request.node.name, retry_delay=0, transport_options=options)
    queue.publish(1)
    got(queue).nack("once more")
    assert got(queue).attempts == 2
    queue.close()
    again = KombuQueue[Any](redis.url, request.node.name, retry_delay=0, transport_options=options)
    assert drained(again) == [1]
    again.close()
