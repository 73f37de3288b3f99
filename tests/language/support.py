"""What the tests of the language share: an engine with a few actions, and what a document did in it."""

from __future__ import annotations

import builtins
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from textwrap import dedent
from typing import Any

from attrs import define, frozen

from fluxor_actors import Fluxor, ProcessHandle, method
from fluxor_actors.actions import ActionContext
from fluxor_actors.clock import ManualClock
from fluxor_actors.events import Event

__all__ = ["WAIT", "Lab", "Ran", "SteppingClock", "open_lab"]

WAIT = 10.0
"""Seconds after which a test gives up. Nothing waits that long unless it is broken."""


class SteppingClock(ManualClock):
    """A clock that a test moves to the instant for which the engine waits."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._until: float | None = None

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        with self._changed:
            self._until = until
            self._changed.notify_all()
        super().wait(condition, until)

    def step(self, seconds: float) -> None:
        """Wait until the engine's next timer is that far away, and go there."""
        due = self.time() + seconds
        with self._changed:
            found = self._changed.wait_for(lambda: self._until is not None and abs(self._until - due) < 0.001, WAIT)
            left = None if self._until is None else self._until - self.time()
        assert found, f"the next timer is not {seconds} s away but {left}"
        self.advance(seconds)

    def hop(self) -> float:
        """Wait until the engine waits for an instant, go there, and say how far it was."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._until is not None and self._until > self.time(), WAIT), (
                "no timer"
            )
            assert self._until is not None
            seconds = self._until - self.time()
        self.advance(seconds)
        return seconds


@frozen
class Ran:
    """How a process ended."""

    state: str
    output: dict[str, Any]
    errors: dict[str, str]
    order: list[str]


class Do:
    """The service ``do``."""

    name = "do"

    def __init__(self, clock: SteppingClock) -> None:
        self.notes: dict[str, list[str]] = defaultdict(list)
        self.gates: dict[str, threading.Event] = defaultdict(threading.Event)
        self.noted = threading.Condition()
        self._clock = clock
        self._begin = clock.time()
        self._lock = threading.Lock()
        self._barriers: dict[str, threading.Barrier] = {}
        self._inside: dict[str, set[str]] = defaultdict(set)

    def wake(self) -> None:
        with self.noted:
            self.noted.notify_all()

    def note(self, context: ActionContext, text: str = "") -> None:
        name = context.execution_id.split("/", 1)[1].removeprefix("w/")
        with self.noted:
            self.notes[context.process_id].append(name + text)
            self.noted.notify_all()

    @method
    def echo(self, context: ActionContext, value: Any = None, unused: str = "") -> Any:
        self.note(context)
        return value

    @method
    def fail(self, context: ActionContext, message: str = "broken", type: str = "ValueError") -> None:  # noqa: A002 - the document's word
        self.note(context)
        raise getattr(builtins, type)(message)

    @method
    def flaky(self, context: ActionContext, good: int = 2, type: str = "ValueError") -> dict[str, Any]:  # noqa: A002 - the document's word
        """Fails before its attempt number ``good``; the times of attempts are noted."""
        self.note(context, f"@{self._clock.time() - self._begin:g}")
        if context.attempt < good:
            raise getattr(builtins, type)(f"attempt {context.attempt}")
        return {"attempt": context.attempt, "key": context.idempotency_key}

    @method
    def meet(self, context: ActionContext, count: int, unused: str = "") -> int:
        """Comes back when ``count`` are here at once. Says how many were."""
        self.note(context)
        with self._lock:
            barrier = self._barriers.setdefault(context.process_id, threading.Barrier(count))
            here = self._inside[context.process_id]
            here.add(context.execution_id)
        barrier.wait(WAIT)
        with self._lock:
            found = len(here)
        # Nobody leaves before all have looked.
        barrier.wait(WAIT)
        with self._lock:
            here.discard(context.execution_id)
        return found

    @method
    def gate(self, context: ActionContext, name: str, value: Any = None) -> Any:
        """Waits until another task, or the test, opens the gate, or until it is cancelled; that is noted, too."""
        self.note(context)
        opened = self.gates[name]
        context.cancellation.on_cancel(self.wake)
        with self.noted:
            over = self.noted.wait_for(lambda: opened.is_set() or context.cancelled.is_set(), WAIT)
        assert over, f"nobody has opened {name}"
        if context.cancelled.is_set():
            self.note(context, "!")
        return value

    @method
    def open(self, context: ActionContext, name: str, value: Any = None) -> Any:
        self.note(context)
        self.gates[name].set()
        self.wake()
        return value

    @method
    def deaf(self, context: ActionContext) -> None:
        """Goes on whatever it is asked."""
        self.note(context)
        self.gates["deaf begun"].set()
        self.wake()
        assert self.gates["deaf end"].wait(WAIT)

    @method
    def lock(self) -> Any:
        return {"inner": {"lock": threading.Lock()}}


@define(eq=False)
class Lab:
    """An engine and its actions. What the actions did is noted by process, as ids of runs below the workflow ``w``."""

    engine: Fluxor
    clock: SteppingClock
    do: Do
    pauses: dict[str, threading.Semaphore]

    def start(self, text: str, initial: Mapping[str, Any] | None = None, *tasks: str, **options: Any) -> ProcessHandle:
        workflow = self.engine.runtime.decode_yaml_workflow("name: w\n" + dedent(text))
        return self.engine.runtime.start_process(workflow, initial, *tasks, **options)

    def run(self, text: str, initial: Mapping[str, Any] | None = None, *tasks: str, **options: Any) -> Ran:
        return self.end(self.start(text, initial, *tasks, **options))

    def open(self, gate: str) -> None:
        """Let those go on who wait there."""
        self.do.gates[gate].set()
        self.do.wake()

    def end(self, run: ProcessHandle) -> Ran:
        output = run.wait(WAIT)
        assert not output.timed_out, f"still {output.state}: {output}; {run.executions()}"
        return Ran(output.state.value, output.output, output.errors, self.do.notes[run.id])

    def begun(self, run: ProcessHandle, note: str) -> None:
        """Wait until an action has noted that."""
        with self.do.noted:
            assert self.do.noted.wait_for(lambda: note in self.do.notes[run.id], WAIT), (
                f"{note} is not in {self.do.notes[run.id]}"
            )

    def until_paused(self, run: ProcessHandle) -> list[str]:
        """Wait until the process is paused, once more than before. Gives what has been noted by then."""
        assert self.pauses[run.id].acquire(timeout=WAIT), f"still {run.process().state}"
        return list(self.do.notes[run.id])

    def value(self, expression: Any, initial: Mapping[str, Any] | None = None) -> Any:
        """What an action gets for a value in its input."""
        run = self.run(
            "pipeline: {a: {action: do:echo, input: {value: '${given}'}}}", {"given": expression, **(initial or {})}
        )
        return run.output["a"]


@contextmanager
def open_lab(*services: object, **options: Any) -> Iterator[Lab]:
    """A lab whose engine is shut down at the end."""
    clock = SteppingClock()
    do = Do(clock)
    with Fluxor(services=[do, *services], clock=clock, workers=8, **options) as engine:
        pauses: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(0))

        def heard(event: Event[Any]) -> None:
            if event.context.event_type == "process.paused":
                pauses[event.context.process_id].release()

        engine.events.subscribe(heard)
        yield Lab(engine, clock, do, pauses)
        for gate in list(do.gates.values()):
            gate.set()
        do.wake()
