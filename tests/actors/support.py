"""Stand-ins that several tests of the actors share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from fluxor_actors.actions.cancellation import Cancellation
from fluxor_actors.actors.messages import Assignment
from fluxor_actors.process.commands import AttemptStarted, AttemptSucceeded
from tests.actors.conftest import WAIT


class Listening:
    """A mailbox that a test reads."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self._queue: SimpleQueue[Any] = SimpleQueue()

    def tell(self, message: Any) -> None:
        self.messages.append(message)
        self._queue.put(message)

    def next(self) -> Any:
        """The next message, within the time that a test waits at most."""
        try:
            return self._queue.get(timeout=WAIT)
        except Empty:
            raise AssertionError(f"no message came after {self.messages}") from None

    def outcome(self) -> Any:
        """The next message that is not `AttemptStarted`."""
        while isinstance(message := self.next(), AttemptStarted):
            pass
        return message


def assignment(
    run: str = "task",
    *,
    process_id: str = "p",
    attempt: int = 1,
    action: str = "nop:nop",
    supervisor: Any = None,
    value: Any = None,
) -> Assignment:
    service, _, method = action.partition(":")
    return Assignment(
        process_id=process_id,
        run=run,
        task_id=run,
        attempt=attempt,
        service=service,
        method=method,
        input=value,
        idempotency_key=f"{process_id}/{run}",
        supervisor=supervisor or Listening(),
        cancellation=Cancellation(),
        session=dict,
    )


def echo(message: Assignment) -> AttemptSucceeded:
    """An action that returns its input."""
    return AttemptSucceeded(message.run, message.attempt, message.input)


class Gated:
    """An action that waits in the middle until the test lets it go on."""

    def __init__(self) -> None:
        self.entered: SimpleQueue[Assignment] = SimpleQueue()
        self._lock = threading.Lock()
        self._gates: dict[str, threading.Event] = {}
        self._open = False

    def __call__(self, message: Assignment) -> AttemptSucceeded:
        gate = self._gate(message)
        self.entered.put(message)
        assert gate.wait(WAIT)
        return echo(message)

    def _gate(self, message: Assignment) -> threading.Event:
        with self._lock:
            gate = self._gates.setdefault(f"{message.process_id}/{message.run}", threading.Event())
            if self._open:
                gate.set()
            return gate

    def begun(self) -> Assignment:
        """The attempt that has begun next."""
        return self.entered.get(timeout=WAIT)

    def finish(self, message: Assignment) -> None:
        self._gate(message).set()

    def finish_all(self) -> None:
        with self._lock:
            self._open = True
            for gate in self._gates.values():
                gate.set()


def calling(act: Callable[[Assignment], Any]) -> Callable[[Assignment], AttemptSucceeded]:
    """An action that does ``act``."""

    def invoke(message: Assignment) -> AttemptSucceeded:
        return AttemptSucceeded(message.run, message.attempt, act(message))

    return invoke
