"""Queues of each kind, and what makes a consumer of theirs die."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from fluxor_actors.clock import ManualClock
from fluxor_actors.messaging import FilesystemQueue, KombuQueue, MemoryQueue, Message, Queue

WAIT = 15.0
"""Seconds after which a test gives up."""
VISIBILITY = 1.0

T = TypeVar("T")


class Vendor:
    """One kind of queue, and one queue of it. ``exact``: what comes back takes its old place; otherwise it goes to the end."""

    exact = True

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.made: list[Queue[Any]] = []

    def open(self, **options: Any) -> Queue[Any]:
        """One more object for the same queue."""
        queue = self._open(**{"clock": self.clock, **options})
        self.made.append(queue)
        return queue

    def _open(self, **options: Any) -> Queue[Any]:
        raise NotImplementedError

    def orphan(self, queue: Queue[Any]) -> None:
        """Have a consumer take the next message, and die with it."""
        raise NotImplementedError

    def close(self) -> None:
        for queue in self.made:
            queue.close()


class Memory(Vendor):
    """All objects are one. A consumer dies when its lease runs out."""

    def _open(self, **options: Any) -> Queue[Any]:
        return self.made[0] if self.made else MemoryQueue(lease=100.0, **options)

    def orphan(self, queue: Queue[Any]) -> None:
        assert queue.consume(timeout=0) is not None
        self.clock.advance(100.0)


class Programs(Vendor):
    """For queues between programs, in which consumers are killed."""

    def location(self) -> list[str]:
        raise NotImplementedError

    def orphan(self, queue: Queue[Any]) -> None:
        with Consumer(*self.location()) as consumer:
            consumer.taken()
            consumer.kill()


class Filesystem(Programs):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def location(self) -> list[str]:
        return ["fs", str(self.folder)]

    def _open(self, **options: Any) -> Queue[Any]:
        return FilesystemQueue(self.folder, sync=False, **options)


class Kombu(Programs):
    exact = False

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.name = f"q{uuid.uuid4().hex}"

    def location(self) -> list[str]:
        return ["kombu", self.url, self.name]

    def _open(self, **options: Any) -> Queue[Any]:
        return KombuQueue(self.url, self.name, visibility_timeout=VISIBILITY, **{"retry_delay": 0.5, **options})


class Consumer:
    """A program that takes messages, says which, and settles none: see `tests.messaging.program`."""

    def __init__(self, *location: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.messaging.program", *location], stdout=subprocess.PIPE, text=True
        )

    def taken(self) -> str:
        """The next message's id."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line
        return line

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(WAIT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Call(threading.Thread, Generic[T]):
    """A call on a thread of its own."""

    def __init__(self, call: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self._result: T | None = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._result = self._call()
        except BaseException as error:
            self._error = error

    def result(self) -> T | None:
        """What it has returned."""
        self.join(WAIT)
        assert not self.is_alive()
        if self._error is not None:
            raise self._error
        return self._result


def got(queue: Queue[Any]) -> Message[Any]:
    """The next message, within the time that a test waits."""
    message = queue.consume(timeout=WAIT)
    assert message is not None
    return message


def drained(queue: Queue[Any]) -> list[Any]:
    """Everything that is in it, acknowledged."""
    found = []
    while (message := queue.consume(timeout=0)) is not None:
        found.append(message.payload)
        assert message.ack()
    return found
