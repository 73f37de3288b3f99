"""A queue on a broker: Redis, RabbitMQ, SQS and what else kombu speaks with. Needs the extra ``kombu``."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from attrs import define

from fluxor_actors.clock import Clock, SystemClock
from fluxor_actors.errors import ConfigError, QueueError
from fluxor_actors.messaging.broker import Broker, Raw
from fluxor_actors.messaging.codec import Codec, NoCodec, PlainCodec
from fluxor_actors.messaging.envelope import new_id
from fluxor_actors.messaging.later import Later
from fluxor_actors.messaging.message import Message
from fluxor_actors.messaging.retries import DIED, Retries

__all__ = ["KombuQueue"]

_logger = logging.getLogger(__name__)

T = TypeVar("T")

_LOOK = 1.0
"""Seconds after which one that waits looks by itself: a publisher that dies before it rings wakes nobody."""


@define(slots=True, eq=False)
class _Claim:
    """One delivery: what the broker gave, or None when it is settled."""

    raw: Raw | None
    settle: Callable[[_Claim, str | None, bool], bool]

    def ack(self) -> bool:
        return self.settle(self, None, False)

    def nack(self, error: str) -> bool:
        return self.settle(self, error, False)

    def release(self) -> bool:
        return self.settle(self, None, True)


@define(slots=True, eq=False)
class _Dead:
    """What a dead letter is settled with."""

    uid: str
    take_out: Callable[[str], bool]

    def ack(self) -> bool:
        return self.take_out(self.uid)

    def nack(self, error: str) -> bool:
        return False

    def release(self) -> bool:
        return False


class KombuQueue(Generic[T]):
    """A `Queue` on a broker, for programs on any number of machines.

    Delivered at least once: an item may come twice when its consumer loses the broker, or takes longer than ``visibility_timeout``. What is delivered again stands behind what was
    published before it came back. Dead letters are in a queue of their own, ``<name>.dead``.

    Other programs may publish to it, too: JSON, with an id as the property ``message_id``. What is no JSON, or has no id, becomes a dead letter at once; of the former, the payload
    raises `QueueError`.

    Args:
        url: where the broker is, such as ``redis://localhost:6379/0`` or ``amqp://…``.
        name: of the queue.
        max_retries: deliveries after the first.
        retry_delay: seconds, or text such as ``500ms``, between two deliveries. Waited for by the program that refused the message; when it ends before, the next
            delivery is earlier, and when it is killed, later.
        visibility_timeout: seconds after which a message that is not settled is thought to be a dead consumer's, on brokers that do
            not notice themselves (Redis, SQS). More than any consumer takes.
        transport_options: for kombu.
        codec: for items that are not plain data, such as a `TypedCodec`.
        clock: the time, for tests: retry delays go by it.

    Raises:
        ConfigError: kombu is not installed, or a setting makes no sense.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        max_retries: int = 3,
        retry_delay: float | str = 1.0,
        visibility_timeout: float = 3600.0,
        transport_options: Mapping[str, Any] | None = None,
        codec: Codec[T] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._retries = Retries.of(max_retries, retry_delay)
        if visibility_timeout <= self._retries.delay:
            raise ConfigError(
                f"visibility_timeout is {visibility_timeout:g} s; expected more than retry_delay, {self._retries.delay:g} s"
            )
        self._codec: Codec[T] = codec or PlainCodec()
        self.name = name
        self._broker = Broker(url, name, visibility_timeout, dict(transport_options or {}))
        self._lock = threading.RLock()
        self._claims: set[_Claim] = set()
        self._later = Later(clock or SystemClock(), self._deliver_again)
        self._restore_every = min(visibility_timeout / 4, 10.0)
        self._restored = time.monotonic() - self._restore_every
        self._closed = False

    def publish(self, item: T, id: str | None = None) -> str:  # noqa: A002 - an attribute of messages
        made = new_id(id)
        body = json.dumps(self._codec.encode(item), ensure_ascii=False)
        with self._using() as broker:
            broker.put(self.name, body, {"id": made, "uid": uuid.uuid4().hex, "attempts": 0, "error": ""})
            broker.ring()
        return made

    def consume(self, timeout: float | None = None) -> Message[T] | None:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._using() as broker:
                message = self._take(broker)
                if message is None and timeout != 0:
                    broker.hush()
                    message = self._take(broker)
            if message is not None:
                return message
            left = _LOOK if deadline is None else min(_LOOK, deadline - time.monotonic())
            if left <= 0:
                return None
            self._broker.listen(min(left, self._restore_every))

    def dead_letters(self) -> list[Message[T]]:
        with self._using() as broker:
            return [
                self._message(raw, raw.attempts, _Dead(raw.uid, self._take_out))
                for raw in broker.look_through(f"{self.name}.dead")
            ]

    def replay(self, message: Message[T]) -> bool:
        receipt = message.receipt
        return isinstance(receipt, _Dead) and self._take_out(receipt.uid, again=True)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._later.stop()
            for claim in tuple(self._claims):
                with contextlib.suppress(QueueError):
                    claim.release()
            self._closed = True
        self._broker.close()

    @contextlib.contextmanager
    def _using(self) -> Iterator[Broker]:
        with self._lock:
            if self._closed:
                raise QueueError(f"the queue {self.name} is closed")
            with self._broker.trouble():
                yield self._broker

    def _message(self, raw: Raw, attempts: int, receipt: _Claim | _Dead) -> Message[T]:
        if raw.damaged:
            return Message(raw.id, None, attempts, raw.damaged, NoCodec(raw.damaged), receipt)
        return Message(raw.id, raw.payload, attempts, raw.error, self._codec, receipt)

    def _take(self, broker: Broker) -> Message[T] | None:
        if time.monotonic() - self._restored >= self._restore_every:
            self._restored = time.monotonic()
            broker.restore()
        while (raw := broker.get(self.name)) is not None:
            if raw.damaged:
                broker.move(raw, f"{self.name}.dead", raw.attempts + 1, raw.damaged)
                _logger.error("message %s of the queue %s is a dead letter: %s", raw.id, self.name, raw.damaged)
            elif raw.redelivered:
                # The broker took it from a consumer that had not settled it.
                self._refuse(raw, raw.attempts + 1, DIED)
            else:
                claim = _Claim(raw, self._settle)
                self._claims.add(claim)
                return self._message(raw, raw.attempts + 1, claim)
        return None

    def _settle(self, claim: _Claim, error: str | None, released: bool) -> bool:
        with self._lock:
            if claim.raw is None or self._closed:
                return False  # settled, or given back
        with self._using() as broker:
            raw, claim.raw = claim.raw, None
            self._claims.discard(claim)
            if raw is None:
                return False
            if released:
                moved = broker.move(raw, self.name, raw.attempts, raw.error)
                broker.ring()
                return moved
            if error is not None:
                self._refuse(raw, raw.attempts + 1, error)
                return True
            return broker.ack(raw)

    def _refuse(self, raw: Raw, attempts: int, error: str) -> None:
        if self._retries.exhausted(attempts):
            self._broker.move(raw, f"{self.name}.dead", attempts, error)
        else:
            # Until then it stays unsettled: if this program is killed, the broker has it still.
            self._later.add(self._retries.delay, (raw, attempts, error))

    def _deliver_again(self, waiting: tuple[Raw, int, str]) -> None:
        raw, attempts, error = waiting
        with self._using() as broker:
            broker.move(raw, self.name, attempts, error)
            broker.ring()

    def _take_out(self, uid: str, again: bool = False) -> bool:
        """Take a dead letter out, and publish it again if that is wanted. Whether it was there."""
        with self._using() as broker:
            found = False
            for raw in broker.look_through(f"{self.name}.dead", keep=lambda raw: raw.uid != uid):
                if raw.uid == uid:
                    found = True
                    if again:
                        broker.move(raw, self.name, 0, "")
                        broker.ring()
                    else:
                        broker.ack(raw)
            return found
