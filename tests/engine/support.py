"""Documents and stand-ins that several tests of the engine share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from fluxor_actors import Fluxor, ProcessHandle, action
from fluxor_actors.actions import ActionContext
from fluxor_actors.definition import Workflow
from fluxor_actors.events import Event
from fluxor_actors.storage import Append, MemoryStore

WAIT = 10.0
"""Seconds after which a test gives up. Nothing waits that long unless it is broken."""

ONE = "name: one\npipeline: {a: {action: nop:nop, post: {done: true}}}"
SIGNAL = "name: parked\npipeline: {a: {await: {signal: go}, post: {got: '${a}'}}}"
GATED = "name: gated\npipeline: {a: {action: test:gated, input: {name: a}}, b: {action: test:echo, input: {value: 2}}}"


def until(true: Callable[[], object], seconds: float = WAIT) -> None:
    """Look now and then whether something is true that nobody tells of: what another program does, or an engine's inside."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not true():
        assert time.monotonic() < deadline, f"not true after {seconds:g} s"
        pause.wait(0.01)


class Make(Protocol):
    """The fixture ``make``."""

    def __call__(self, *services: object, **options: Any) -> Fluxor: ...


class Gate:
    """The action ``test:gated``: it waits in the middle until the test lets it go on, or it is cancelled if it heeds that."""

    def __init__(self) -> None:
        self.entered: SimpleQueue[ActionContext] = SimpleQueue()
        self.left: SimpleQueue[str] = SimpleQueue()
        self._open = threading.Event()

        @action("test:gated")
        def gated(context: ActionContext, name: str = "", heed: bool = False) -> str:
            self.entered.put(context)
            if heed:
                context.cancellation.on_cancel(self._open.set)
            self._open.wait()
            self.left.put(name)
            return name

        self.action = gated

    def begun(self) -> ActionContext:
        """The context of the attempt that has begun next."""
        try:
            return self.entered.get(timeout=WAIT)
        except Empty:
            raise AssertionError("no attempt has begun") from None

    def open(self) -> None:
        """Let all go on, those that come later too."""
        self._open.set()


@action("test:echo")
def echo(value: Any = None, note: str = "") -> Any:
    return value


class BoomError(Exception):
    """What ``test:fail`` raises."""


class Failing:
    """The action ``test:fail``: it raises as often as it is told to, then returns."""

    def __init__(self, times: int = 1_000_000) -> None:
        self.calls = 0
        self.times = times

        @action("test:fail")
        def fail() -> str:
            self.calls += 1
            if self.calls <= self.times:
                raise BoomError(f"call {self.calls}")
            return "well"

        self.action = fail


class Heard:
    """A subscriber whose events a test waits for."""

    def __init__(self) -> None:
        self.events: list[Event[Any]] = []
        self._changed = threading.Condition()

    def __call__(self, event: Event[Any]) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def types(self, process_id: str | None = None) -> list[str]:
        """The types of what has come so far."""
        return [
            event.context.event_type
            for event in list(self.events)
            if process_id is None or event.context.process_id == process_id
        ]

    def until(self, event_type: str, process_id: str | None = None) -> Event[Any]:
        """The first event of that type, which may be still to come."""
        return self.until_nth(event_type, process_id, 1)

    def until_nth(self, event_type: str, process_id: str | None, number: int) -> Event[Any]:
        """The event of that type of that number, from 1, which may be still to come."""

        def found() -> Event[Any] | None:
            fitting = [
                event
                for event in self.events
                if event.context.event_type == event_type and process_id in (None, event.context.process_id)
            ]
            return fitting[number - 1] if len(fitting) >= number else None

        with self._changed:
            event = self._changed.wait_for(found, WAIT)
        assert event is not None, f"no {event_type} among {self.types()}"
        return event


class Breaking(MemoryStore):
    """A store whose appends fail when ``breaks`` says so: it is given the batch and returns what to raise, or None.

    The batch is not committed then; with ``after`` it is, and the writer does not learn it.
    """

    def __init__(
        self, breaks: Callable[[Sequence[Append]], BaseException | None], *, after: bool = False, retain: int = 1_000
    ) -> None:
        super().__init__(retain)
        self.breaks = breaks
        self.after = after
        self.attempts = 0

    def append(self, batch: Sequence[Append]) -> None:
        self.attempts += 1
        error = self.breaks(batch)
        if error is None or self.after:
            super().append(batch)
        if error is not None:
            raise error


def event_names(batch: Sequence[Append]) -> list[str]:
    """The class names of the events in a batch."""
    return [type(event).__name__ for append in batch for event in append.record.events]


def workflow(engine: Fluxor, text: str) -> Workflow:
    return engine.runtime.decode_yaml_workflow(text)


def start(engine: Fluxor, text: str, *args: Any, **options: Any) -> ProcessHandle:
    return engine.runtime.start_process(workflow(engine, text), *args, **options)


def paused(handle: ProcessHandle, heard: Heard) -> None:
    """Wait until the process is paused."""
    heard.until("process.paused", handle.id)
