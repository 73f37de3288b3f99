"""Runs the pure core without actors: effects are carried out in a list, time is a number."""

from __future__ import annotations

import heapq
import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from fluxor_actors.definition import parse
from fluxor_actors.expression import Language
from fluxor_actors.process import effects as outer
from fluxor_actors.process.codec import state_from_plain, state_to_plain
from fluxor_actors.process.commands import (
    Advance,
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Cancel,
    Command,
    FireTimer,
    Pause,
    Resume,
    ResumeFailed,
    Signal,
    Start,
    Steer,
)
from fluxor_actors.process.compile import compile_plan
from fluxor_actors.process.decide import Rules, decide
from fluxor_actors.process.event_codec import EventCodec
from fluxor_actors.process.events import Event
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.replay import replay
from fluxor_actors.process.state import State

Action = Callable[[str, Any, int], Any]


def plain_structure(_type: str, value: Any, _name: str) -> Any:
    return value


def plan_of(text: str) -> Plan:
    return compile_plan(parse(text, source="test.yaml"), Language(), plain_structure)


def echo(_action: str, value: Any, _attempt: int) -> Any:
    """An action that returns its input, or fails when it is told to."""
    if isinstance(value, Mapping) and "fail" in value:
        raise ValueError(value["fail"])
    return value


@frozen
class Record:
    """Events of one time, as a journal would give them back."""

    at: float
    events: list[Event]


def text_of(state: State) -> str:
    """A state, canonically."""
    return json.dumps(state_to_plain(state), sort_keys=True, ensure_ascii=False)


class Driver:
    """One process, driven by hand. Asking for its status or session checks that its events tell the whole truth."""

    def __init__(self, text: str, action: Action = echo, *, hold: tuple[str, ...] = (), **rules: Any) -> None:
        self.plan = plan_of(text)
        self.state = State(self.plan)
        self.action = action
        self.hold = hold
        self.rules = Rules(**rules)
        self.now = 1000.0
        self.events: list[Event] = []
        self.records: list[tuple[float, list[Event]]] = []
        self.queue: deque[Command] = deque()
        self.timers: list[tuple[float, int, str, Any]] = []
        self.armed: dict[tuple[str, Any], float] = {}
        self.held: dict[str, outer.Dispatch] = {}
        self.signalled: list[str] = []
        self.answers: dict[int, Any] = {}
        self.calls: list[str] = []
        self.inputs: list[tuple[str, Any]] = []
        self._count = 0
        self._checked = -1

    def tell(self, command: Command) -> list[Event]:
        decision = decide(self.state, command, self.now, self.rules)
        if decision.events:
            self.records.append((self.now, decision.events))
        self.events += decision.events
        for effect in decision.effects:
            self._carry_out(effect)
        return decision.events

    def _carry_out(self, effect: outer.Effect) -> None:
        if isinstance(effect, outer.Dispatch):
            task = self.state.plan.tasks[effect.task]
            self.calls.append(effect.run)
            self.inputs.append((effect.run, effect.input))
            if task.name in self.hold:
                self.held[effect.run] = effect
                self.queue.append(AttemptStarted(effect.run, effect.attempt))
                return
            self.queue.append(AttemptStarted(effect.run, effect.attempt))
            try:
                output = self.action(f"{task.service}:{task.method}", effect.input, effect.attempt)
            except Exception as error:
                self.queue.append(AttemptFailed(effect.run, effect.attempt, Failure.of(error)))
            else:
                self.queue.append(AttemptSucceeded(effect.run, effect.attempt, output))
        elif isinstance(effect, outer.StartTimer):
            self._count += 1
            self.armed[effect.run, effect.kind] = effect.due
            heapq.heappush(self.timers, (effect.due, self._count, effect.run, effect.kind))
        elif isinstance(effect, outer.StopTimer):
            self.armed.pop((effect.run, effect.kind), None)
        elif isinstance(effect, outer.SignalCancel):
            self.signalled.append(effect.run)
        elif isinstance(effect, outer.Answer):
            self.answers[effect.ticket] = effect.failure.type if effect.failure else effect.value
        elif isinstance(effect, outer.Continue):
            self.queue.append(Advance(effect.run))

    def run(self) -> Driver:
        """Everything that needs no time to pass."""
        while self.queue:
            self.tell(self.queue.popleft())
        return self

    def start(self, initial: Mapping[str, Any] | None = None, *tasks: str) -> Driver:
        self.tell(Start("p1", dict(initial or {}), tasks))
        return self.run()

    def finish(self, run: str, output: Any = None) -> Driver:
        """A held action returns."""
        effect = self.held.pop(run)
        self.tell(AttemptSucceeded(run, effect.attempt, output))
        return self.run()

    def fail(self, run: str, message: str = "broken") -> Driver:
        """A held action raises."""
        effect = self.held.pop(run)
        self.tell(AttemptFailed(run, effect.attempt, Failure.of(ValueError(message))))
        return self.run()

    def advance(self, seconds: float) -> Driver:
        """Let time pass, firing timers on the way."""
        end = self.now + seconds
        while self.timers and self.timers[0][0] <= end:
            due, _, run, kind = heapq.heappop(self.timers)
            if self.armed.get((run, kind)) != due:
                continue
            del self.armed[run, kind]
            self.now = max(self.now, due)
            self.tell(FireTimer(run, kind, due))
            self.run()
        self.now = end
        return self

    def check(self) -> None:
        """The journal, written and read back, leads to the same state, byte for byte; and so does a snapshot."""
        if self._checked == self.state.sequence:
            return
        self._checked = self.state.sequence
        codec = EventCodec()
        written = [(at, [json.dumps(codec.to_plain(event)) for event in events]) for at, events in self.records]
        records = [Record(at, [codec.from_plain(json.loads(text)) for text in texts]) for at, texts in written]
        live = text_of(self.state)
        assert text_of(replay(self.plan, records)) == live
        assert text_of(state_from_plain(self.plan, json.loads(live))) == live

    def reload(self) -> Driver:
        """Go on with a state that was written and read back."""
        self.state = state_from_plain(self.plan, json.loads(json.dumps(state_to_plain(self.state))))
        return self

    def pause(self) -> Driver:
        self.tell(Pause())
        return self.run()

    def resume(self) -> Driver:
        self.tell(Resume())
        return self.run()

    def cancel(self, reason: str = "enough") -> Driver:
        self.tell(Cancel(reason))
        return self.run()

    def resume_failed(self) -> Driver:
        self.tell(ResumeFailed())
        return self.run()

    def signal(self, name: str, value: Any = None) -> Driver:
        self.tell(Signal(name, value))
        return self.run()

    def steer(self, **values: Any) -> Driver:
        self.tell(Steer(values))
        return self.run()

    @property
    def status(self) -> str:
        self.check()
        return str(self.state.status)

    @property
    def session(self) -> dict[str, Any]:
        self.check()
        return self.state.session.own()

    def names(self, kind: type | None = None) -> list[str]:
        """The runs of the events of one kind, or those that were dispatched, without the workflow's name, in order."""
        runs = (
            self.calls
            if kind is None
            else [str(getattr(event, "run", "")) for event in self.events if type(event) is kind]
        )
        return [run.partition("/")[2] for run in runs]

    def numbers(self) -> dict[str, int]:
        """How many of the counted runs are where."""
        tally = self.state.tally
        ended = tally.completed + tally.skipped + tally.failed + tally.cancelled
        return {
            "total": tally.total,
            "completed": tally.completed,
            "skipped": tally.skipped,
            "failed": tally.failed,
            "cancelled": tally.cancelled,
            "running": self.state.active,
            "pending": tally.total - ended - self.state.active,
        }
