"""What a queue needs of a broker, through kombu.

Items are taken with single requests, which do not wait and which leave the item unsettled at the broker. One that has to wait listens, on a connection of its own, to a
second queue, the bell, in which publishers put a mark when there is none: an item that was sent to a consumer just when it died would be lost on some brokers, a mark may be.
"""

from __future__ import annotations

import contextlib
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from attrs import field, frozen

from fluxor_actors.errors import ConfigError, QueueError
from fluxor_actors.messaging.taking import take

__all__ = ["Broker", "Raw"]

_MUTEX = 10
"""Seconds for which a program that dies while it restores messages keeps others from it."""
_SILENCE = 30.0
"""Seconds after which a broker that does not answer is given up, where the client can tell (Redis)."""


@frozen(eq=False)
class Raw:
    """An item as the broker gives it. ``damaged`` says what is wrong with it, if anything is; ``payload`` is None then.

    ``uid`` tells it from all others, for those that look for one. ``id``: of what other programs have published, the property ``message_id``.
    """

    received: Any = field(repr=False)
    body: str = field(repr=False)
    payload: Any = field(repr=False)
    id: str
    uid: str
    attempts: int
    error: str
    redelivered: bool
    damaged: str = ""

    @classmethod
    def of(cls, received: Any) -> Raw:
        """What was received."""
        headers = received.headers or {}
        info = received.delivery_info or {}
        again = bool(info.get("redelivered") or headers.get("redelivered"))
        body = received.body
        text = body if isinstance(body, str) else bytes(body).decode("utf-8", "replace")
        message_id = headers.get("id") or (received.properties or {}).get("message_id")
        payload, wrong = None, ""
        try:
            payload = json.loads(text)
        except (ValueError, RecursionError) as error:
            wrong = f"not a message: {error}"
        if not message_id:
            wrong = "not a message: it has no id; other programs give theirs as the property message_id"
        attempts = headers.get("attempts", 0)
        uid = headers.get("uid") or message_id or uuid.uuid4().hex
        return cls(
            received, text, payload, str(message_id or uid), str(uid),
            attempts if isinstance(attempts, int) else 0, str(headers.get("error", "")), again, wrong,
        )  # fmt: skip


class Broker:
    """Two connections: one to take, put and settle, under the caller's lock; one to listen, under its own."""

    def __init__(self, url: str, name: str, visibility_timeout: float, options: dict[str, Any]) -> None:
        self._kombu = kombu = _load()
        self._bell = f"{name}.bell"
        options = {
            "visibility_timeout": visibility_timeout,
            # Of its own, or other users of the broker would wait as long as this queue does, and this one as long as they do.
            "unacked_key": f"{name}.unacked",
            "unacked_index_key": f"{name}.unacked_index",
            "unacked_mutex_key": f"{name}.unacked_mutex",
            "unacked_mutex_expire": _MUTEX,
            "socket_timeout": _SILENCE,
            "socket_connect_timeout": _SILENCE,
            # RabbitMQ says when it has what is published.
            "confirm_publish": True,
            **options,
        }
        self._work = kombu.Connection(url, transport_options=options)
        self._ear = kombu.Connection(url, transport_options=options)
        self._errors: tuple[type[BaseException], ...] = (
            *self._work.connection_errors, *self._work.channel_errors, kombu.exceptions.OperationalError,
        )  # fmt: skip
        self._channel: Any = None
        self._producer: Any = None
        self._known: dict[str, Any] = {}
        self._hearing = threading.Lock()
        self._consumer: Any = None
        self._closed = False

    @contextlib.contextmanager
    def trouble(self) -> Iterator[None]:
        """Say it in one way when the broker cannot be reached, and begin anew the next time.

        Raises:
            QueueError: it cannot.
        """
        try:
            yield
        except self._errors as error:
            self._channel = self._producer = None
            self._known.clear()
            # One that was closed opens no more.
            broken, self._work = self._work, self._work.clone()
            with contextlib.suppress(Exception):  # it is broken, which is why it is closed
                broken.close()
            raise QueueError(f"the broker at {broken.as_uri()} cannot be used: {error}") from error

    def put(self, queue: str, body: str, headers: dict[str, Any]) -> None:
        """Publish, durably where the broker can."""
        bound = self._queue(queue)
        self._producer.publish(
            body, exchange="", routing_key=bound.name, headers=headers, content_type="application/json",
            content_encoding="utf-8", delivery_mode=2,
        )  # fmt: skip

    def get(self, queue: str) -> Raw | None:
        """The next, unsettled; None when there is none."""
        bound = self._queue(queue)
        redis = self._work.transport.driver_type == "redis"
        received = take(self._channel, bound.name) if redis else bound.get(no_ack=False)
        return None if received is None else Raw.of(received)

    def ack(self, raw: Raw) -> bool:
        """Settle it. Whether it was still unsettled, as far as this connection knows."""
        if raw.received.channel is not self._channel:
            return False  # the connection it came by was lost, and it will come again
        raw.received.ack()
        return True

    def move(self, raw: Raw, queue: str, attempts: int, error: str) -> bool:
        """Put it elsewhere, then settle it: twice there is better than nowhere. False when it will come again anyway."""
        if raw.received.channel is not self._channel:
            return False
        self.put(queue, raw.body, {"id": raw.id, "uid": raw.uid, "attempts": attempts, "error": error})
        raw.received.ack()
        return True

    def look_through(self, queue: str, keep: Callable[[Raw], bool] = lambda _: True) -> Iterator[Raw]:
        """All that is in a queue. They are put back at the end, but for those that are not to be kept: settle these."""
        found = []
        while (raw := self.get(queue)) is not None:
            found.append(raw)
        try:
            yield from found
        finally:
            for raw in found:
                if keep(raw):
                    raw.received.requeue()

    def restore(self) -> None:
        """Take back what consumers have kept for longer than they may, on brokers that leave this to their clients."""
        self._queue("")
        restore = getattr(getattr(self._channel, "qos", None), "restore_visible", None)
        if restore is not None:
            restore(num=1000, interval=1)

    # Waking --------------------------------------------------------------------------------------------------------------

    def ring(self) -> None:
        """Wake one that listens, unless a mark is there already: then nobody listens who has not looked since."""
        bell = self._queue(self._bell)
        if bell.queue_declare().message_count == 0:
            self.put(self._bell, "", {})

    def hush(self) -> None:
        """Take away the mark, before looking for the last time and listening."""
        self._queue(self._bell).purge()

    def listen(self, seconds: float) -> None:
        """Wait for a mark; it may return early. One thread listens at a time, and the others wait for it."""
        if not self._hearing.acquire(timeout=max(0.0, seconds)):
            return
        try:
            if self._closed:
                return
            if self._consumer is None:
                channel = self._ear.channel()
                bell = self._kombu.Queue(self._bell, durable=True, channel=channel)
                self._consumer = self._kombu.Consumer(channel, [bell], callbacks=[_ignore], no_ack=True)
                self._consumer.consume()
            with contextlib.suppress(TimeoutError):
                self._ear.drain_events(timeout=seconds)
        except self._errors as error:
            self._consumer = None
            broken, self._ear = self._ear, self._ear.clone()
            with contextlib.suppress(Exception):  # it is broken, which is why it is closed
                broken.close()
            raise QueueError(f"the broker at {broken.as_uri()} cannot be used: {error}") from error
        finally:
            self._hearing.release()

    def close(self) -> None:
        """Leave the broker. One that listens is waited for."""
        self._closed = True
        self._work.close()
        with self._hearing:
            self._ear.close()

    def _queue(self, name: str) -> Any:
        if self._channel is None:
            self._channel = self._work.channel()
            self._producer = self._kombu.Producer(self._channel, auto_declare=False)
        if name and name not in self._known:
            self._known[name] = self._kombu.Queue(name, durable=True, channel=self._channel)
            self._known[name].declare()
        return self._known.get(name)


def _ignore(*_mark: Any) -> None:
    """A mark says nothing but that it is there."""


def _load() -> ModuleType:
    try:
        import kombu
        import kombu.exceptions
    except ImportError as error:
        raise ConfigError("KombuQueue needs kombu: pip install 'fluxor-actors[kombu]'") from error
    return kombu
