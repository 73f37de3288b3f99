"""A queue within the program.

Example:
    >>> queue = MemoryQueue(retry_delay=0)
    >>> queue.publish({"order": 1}, id="a")
    'a'
    >>> message = queue.consume(timeout=1)
    >>> message.payload, message.attempts
    ({'order': 1}, 1)
    >>> message.nack("no time")
    True
    >>> again = queue.consume(timeout=1)
    >>> again.error, again.attempts, again.ack()
    ('no time', 2, True)
"""

from __future__ import annotations

import itertools
import json
import math
import threading
import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Generic, TypeVar

from attrs import define

from fluxor_actors.clock import Clock, SystemClock
from fluxor_actors.errors import ConfigError, QueueError
from fluxor_actors.messaging.codec import Codec, PlainCodec
from fluxor_actors.messaging.envelope import new_id
from fluxor_actors.messaging.message import Message
from fluxor_actors.messaging.retries import DIED, Retries

__all__ = ["MemoryQueue"]

T = TypeVar("T")

_LOOK = 3600.0
"""Seconds within which a change of the machine's clock is noticed."""


@define(slots=True, eq=False)
class _Item:
    """One message. ``claim`` is whose it is at present."""

    sequence: int
    id: str
    text: str  # so that no consumer sees what another does to it
    attempts: int = 0
    error: str = ""
    claim: _Claim | None = None


@define(slots=True, eq=False)
class _Claim:
    """One delivery."""

    item: _Item
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

    item: _Item
    delete: Callable[[_Item], bool]

    def ack(self) -> bool:
        return self.delete(self.item)

    def nack(self, error: str) -> bool:
        return False

    def release(self) -> bool:
        return False


class MemoryQueue(Generic[T]):
    """A `Queue` for the threads of one program; gone with it.

    Args:
        max_retries: deliveries after the first.
        retry_delay: seconds, or text such as ``500ms``, between two deliveries.
        lease: seconds after which a message that is not settled counts as refused, since the thread that had it is thought dead; None: a
            consumer has as long as it needs.
        codec: for items that are not plain data, such as a `TypedCodec`.
        clock: the time, for tests: retry delays and leases go by it.
    """

    def __init__(
        self,
        *,
        max_retries: int = 3,
        retry_delay: float | str = 1.0,
        lease: float | None = None,
        codec: Codec[T] | None = None,
        clock: Clock | None = None,
    ) -> None:
        if lease is not None and lease <= 0:
            raise ConfigError(f"lease is {lease!r}; expected more than 0 seconds, or None")
        self._retries = Retries.of(max_retries, retry_delay)
        self._lease = lease
        self._codec: Codec[T] = codec or PlainCodec()
        self._clock = clock or SystemClock()
        self._changed = threading.Condition()
        self._last = 0
        self._numbers = itertools.count()
        self._closed = False
        self._ready: list[tuple[int, _Item]] = []
        self._delayed: list[tuple[float, int, _Item]] = []
        self._leases: list[tuple[float, int, _Claim]] = []
        self._claims: set[_Claim] = set()
        self._dead: dict[int, _Item] = {}

    def publish(self, item: T, id: str | None = None) -> str:  # noqa: A002 - an attribute of messages
        text = json.dumps(self._codec.encode(item), ensure_ascii=False)
        made = new_id(id)
        with self._changed:
            self._check_open()
            self._put(_Item(self._next(), made, text))
        return made

    def consume(self, timeout: float | None = None) -> Message[T] | None:
        with self._changed:
            until = math.inf if timeout is None else time.monotonic() + timeout
            while True:
                self._check_open()
                now = self._clock.time()
                self._come_back(now)
                if self._ready:
                    return self._claim(heappop(self._ready)[1], now)
                left = until - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(max(0.0, min(left, self._next_change() - now, _LOOK)))

    def dead_letters(self) -> list[Message[T]]:
        with self._changed:
            self._check_open()
            self._come_back(self._clock.time())
            return [self._message(item, _Dead(item, self._delete)) for item in self._dead.values()]

    def replay(self, message: Message[T]) -> bool:
        with self._changed:
            self._check_open()
            receipt = message.receipt
            if not isinstance(receipt, _Dead) or not self._delete(receipt.item):
                return False
            self._put(_Item(self._next(), receipt.item.id, receipt.item.text))
            return True

    def close(self) -> None:
        with self._changed:
            self._closed = True
            for claim in tuple(self._claims):
                self._settle(claim, None, True)
            self._changed.notify_all()

    def _check_open(self) -> None:
        if self._closed:
            raise QueueError("the queue is closed")

    def _next(self) -> int:
        self._last += 1
        return self._last

    def _put(self, item: _Item) -> None:
        heappush(self._ready, (item.sequence, item))
        self._changed.notify()

    def _message(self, item: _Item, receipt: _Claim | _Dead) -> Message[T]:
        return Message(item.id, json.loads(item.text), item.attempts, item.error, self._codec, receipt)

    def _claim(self, item: _Item, now: float) -> Message[T]:
        item.attempts += 1
        item.claim = claim = _Claim(item, self._settle)
        self._claims.add(claim)
        if self._lease is not None:
            heappush(self._leases, (now + self._lease, next(self._numbers), claim))
            self._changed.notify_all()
        return self._message(item, claim)

    def _settle(self, claim: _Claim, error: str | None, released: bool) -> bool:
        with self._changed:
            item = claim.item
            if item.claim is not claim:
                return False
            item.claim = None
            self._claims.discard(claim)
            if released:
                item.attempts -= 1
                self._put(item)
            elif error is not None:
                item.error = error
                if self._retries.exhausted(item.attempts):
                    self._dead[item.sequence] = item
                else:
                    heappush(self._delayed, (self._clock.time() + self._retries.delay, item.sequence, item))
                    self._changed.notify_all()  # whoever waits has to wake earlier now
            return True

    def _delete(self, item: _Item) -> bool:
        with self._changed:
            return self._dead.pop(item.sequence, None) is not None

    def _come_back(self, now: float) -> None:
        """What is due again, and what is taken from those who had it too long."""
        while self._leases and self._leases[0][0] <= now:
            self._settle(heappop(self._leases)[2], DIED, False)
        while self._delayed and self._delayed[0][0] <= now:
            self._put(heappop(self._delayed)[2])

    def _next_change(self) -> float:
        due = self._delayed[0][0] if self._delayed else math.inf
        return min(due, self._leases[0][0]) if self._leases else due
