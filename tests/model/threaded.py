"""The real engine, on real threads, as a subject: in memory, under a clock that stands still until it is moved."""

from __future__ import annotations

import builtins
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from attrs import define

from fluxor_actors import Fluxor, action
from fluxor_actors.actions import ActionContext
from fluxor_actors.clock import ManualClock
from fluxor_actors.events import Event
from tests.engine.support import until
from tests.model.model import Outcome, Under
from tests.model.subject import GRACE, NOW, model_id, without_process

__all__ = ["House", "Threaded", "open_house"]

WAIT = 20.0
"""Seconds after which a test gives up. Nothing waits that long unless it is broken."""

_HEARD = ("execution.completed", "execution.failed", "execution.retrying", "execution.cancelled", "execution.dropped")


class _Clock(ManualClock):
    """A clock that says until when the engine's timer sleeps."""

    def __init__(self) -> None:
        super().__init__(NOW)
        self.changed = threading.Condition()
        self.until: float | None = None

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        with self.changed:
            self.until = until
            self.changed.notify_all()
        super().wait(condition, until)

    def sleeps(self, due: float) -> None:
        """Wait until the engine's timer sleeps, and no longer than until then."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.until is not None and self.until <= due, WAIT)

    def move(self, seconds: float) -> None:
        """Let time pass, and wait until all that has fallen due has been delivered."""
        # A little more, since sums of times are not exact.
        self.advance(seconds + 1e-6)
        with self.changed:
            assert self.changed.wait_for(lambda: self.until is None or self.until > self.time(), WAIT)


@define(eq=False)
class _Begun:
    context: ActionContext
    input: Any
    outcome: tuple[str, Any] | None = None


class House:
    """An engine, and the action ``t:x``, each attempt at which waits until it is told how to end."""

    def __init__(self) -> None:
        self.clock = _Clock()
        self.changed = threading.Condition()
        self.attempts: dict[tuple[str, str, int], _Begun] = {}
        self.heard: Counter[str] = Counter()

        @action("t:x")
        def act(context: ActionContext, input: Any = None) -> Any:  # noqa: A002 - it is the input
            key = (*context.execution_id.split("/", 1), context.attempt)
            begun = _Begun(context, input)
            context.cancellation.on_cancel(self.wake)
            with self.changed:
                self.attempts[key] = begun  # type: ignore[index]  # the id of an execution has a slash
                self.changed.notify_all()
                assert self.changed.wait_for(lambda: begun.outcome is not None, 10 * WAIT)
            assert begun.outcome is not None
            kind, result = begun.outcome
            if kind == "failure":
                raise getattr(builtins, result[0])("broken")
            return result

        self.action = act

    def wake(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def hear(self, event: Event[Any]) -> None:
        """A subscriber."""
        if event.context.event_type in _HEARD:
            with self.changed:
                self.heard[event.metadata["execution_id"]] += 1
                self.changed.notify_all()


class Threaded:
    """One process of the engine."""

    def __init__(self, engine: Fluxor, house: House, document: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
        self.engine = engine
        self.house = house
        workflow = engine.runtime.decode_yaml_workflow(json.dumps(document))
        self.began = house.clock.time()
        self.handle = engine.runtime.start_process(workflow, dict(inputs))

    def _mine(self) -> dict[tuple[str, int], tuple[tuple[str, str, int], _Begun]]:
        return {
            (model_id(key[1]), key[2]): (key, begun)
            for key, begun in self.house.attempts.items()
            if key[0] == self.handle.id
        }

    def under_way(self, expected: Under) -> Under:
        """What has begun; what was lost is released."""
        house = self.house

        def come() -> bool:
            mine = self._mine()
            for key, (whole, begun) in mine.items():
                if key not in expected and begun.context.cancelled.is_set():
                    begun.outcome = ("value", "late")
                    del house.attempts[whole]
            house.changed.notify_all()
            return self._mine().keys() == expected.keys()

        with house.changed:
            house.changed.wait_for(come, WAIT)
            return {key: without_process(begun.input, self.handle.id) for key, (_, begun) in self._mine().items()}

    def due(self, expected: float | None) -> float | None:
        """The supervisor answers when it has carried out what it has decided: its timers are set.

        One that has just ended answers no more, and may still be about to stop its timers.
        """
        self.handle.process()
        timer, now = self.engine.runtime._lifecycle.parts.timer, self.house.clock.time()

        def as_expected() -> bool:
            due = timer.due()
            return (due is None) == (expected is None) and abs((due or now) - now - (expected or 0.0)) <= 0.0005

        with suppress(AssertionError):  # whoever compares says what is there instead
            until(as_expected)
        due = timer.due()
        if due is None:
            return None
        self.house.clock.sleeps(due)
        return due - self.house.clock.time()

    def finish(self, key: tuple[str, int], kind: str, result: Any) -> None:
        house = self.house
        with house.changed:
            whole, begun = self._mine()[key]
            execution = begun.context.execution_id
            before = house.heard[execution]
            begun.outcome = (kind, result)
            del house.attempts[whole]
            house.changed.notify_all()
            assert house.changed.wait_for(lambda: house.heard[execution] > before, WAIT), f"nothing is heard of {key}"

    def advance(self, seconds: float) -> None:
        self.house.clock.move(seconds)
        self.handle.process()

    def signal(self, name: str, value: Any) -> None:
        self.handle.signal(name, value)

    def cancel(self, reason: str) -> None:
        self.handle.cancel(reason)

    def outcome(self) -> Outcome | None:
        output = self.handle.wait(WAIT)
        if output.timed_out:
            return None
        return Outcome(
            output.state.value,
            without_process(output.output, self.handle.id),
            frozenset(output.errors),
            {model_id(each.id.split("/", 1)[1]): (each.state.value, each.attempt) for each in self.handle.executions()},
        )

    def end(self) -> None:
        """Leave nothing behind, whatever has happened."""
        if not self.handle.process().state.final:
            self.handle.cancel("the test is over")
        with self.house.changed:
            for key, begun in list(self.house.attempts.items()):
                begun.outcome = ("value", "late")
                del self.house.attempts[key]
            self.house.changed.notify_all()


@contextmanager
def open_house() -> Iterator[tuple[Fluxor, House]]:
    """An engine that is shut down at the end."""
    house = House()
    with Fluxor(
        services=[house.action], clock=house.clock, workers=64, cancel_grace=GRACE, max_transitions=1000
    ) as engine:
        engine.events.subscribe(house.hear)
        yield engine, house
