"""What is checked against the model: the pure core, driven by hand. Other subjects have the same methods."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

from fluxor_actors.names import execution_id
from fluxor_actors.process import commands as do
from fluxor_actors.process import effects as outer
from fluxor_actors.process.decide import Rules, decide
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.replay import replay
from fluxor_actors.process.state import State
from tests.generated.documents import plan_of_document
from tests.model.model import Outcome, Under
from tests.process.driver import Record, text_of

__all__ = ["GRACE", "NOW", "Core", "Subject", "model_id", "without_process"]

NOW = 1000.0
GRACE = 1000.0
"""Long enough that it is over only when everything else is."""


class Subject(Protocol):
    """Something that runs a process in steps."""

    def under_way(self, expected: Under) -> Under:
        """Attempts under way and their inputs; ``expected``: those for which it is worth waiting."""

    def due(self, expected: float | None) -> float | None:
        """Seconds until it wants to be woken."""

    def finish(self, key: tuple[str, int], kind: str, result: Any) -> None: ...

    def advance(self, seconds: float) -> None: ...

    def signal(self, name: str, value: Any) -> None: ...

    def cancel(self, reason: str) -> None: ...

    def outcome(self) -> Outcome | None:
        """How it has ended; None: it has not."""


def model_id(run_id: str) -> str:
    """The id that the model gives to a run: that of the task, if it runs on demand for another."""
    _, mark, task = run_id.rpartition("#~")
    return task if mark else run_id


def without_process(value: Any, process_id: str) -> Any:
    """A value in which ids of groups are those that the model gives."""
    return json.loads(re.sub(rf'"{re.escape(execution_id(process_id, ""))}([^"]*#~)?', '"', json.dumps(value)))


class Core:
    """The pure core. Whenever it is asked for its outcome, its journal is replayed, too."""

    def __init__(self, document: Mapping[str, Any], inputs: Mapping[str, Any], *, chunk: int = 1000) -> None:
        plan = plan_of_document(dict(document))
        assert plan is not None
        self.state = State(plan)
        self.projection = Projection(plan)
        self.rules = Rules(cancel_grace=GRACE, max_transitions=1000, chunk=chunk)
        self.now = NOW
        self.waiting: deque[do.Command] = deque()
        self.timers: dict[tuple[str, do.TimerKind], float] = {}
        self.records: list[Record] = []
        self.attempts: dict[tuple[str, int], tuple[str, Any]] = {}
        self.tell(do.Start("p", dict(inputs)))

    def tell(self, command: do.Command) -> None:
        self.waiting.append(command)
        while self.waiting:
            decision = decide(self.state, self.waiting.popleft(), self.now, self.rules)
            if decision.events:
                self.records.append(Record(self.now, decision.events))
            for event in decision.events:
                self.projection.apply(event, self.now)
            for effect in decision.effects:
                self._carry_out(effect)

    def _carry_out(self, effect: outer.Effect) -> None:
        if isinstance(effect, outer.Dispatch):
            assert (effect.run, effect.attempt) not in self.attempts
            self.attempts[model_id(effect.run), effect.attempt] = (effect.run, effect.input)
            self.waiting.append(do.AttemptStarted(effect.run, effect.attempt))
        elif isinstance(effect, outer.AbandonAttempt):
            self.attempts.pop((model_id(effect.run), effect.attempt), None)
        elif isinstance(effect, outer.StartTimer):
            self.timers.pop((effect.run, effect.kind), None)
            self.timers[effect.run, effect.kind] = effect.due
        elif isinstance(effect, outer.StopTimer):
            self.timers.pop((effect.run, effect.kind), None)
        elif isinstance(effect, outer.Continue):
            self.waiting.append(do.Advance(effect.run))

    def under_way(self, expected: Under) -> Under:
        return {key: without_process(value, "p") for key, (_, value) in self.attempts.items()}

    def due(self, expected: float | None) -> float | None:
        due = min(self.timers.values(), default=None)
        return None if due is None else due - self.now

    def finish(self, key: tuple[str, int], kind: str, result: Any) -> None:
        run, _ = self.attempts.pop(key)
        if kind == "value":
            self.tell(do.AttemptSucceeded(run, key[1], result))
        else:
            self.tell(do.AttemptFailed(run, key[1], Failure(result[0], "broken", result)))

    def advance(self, seconds: float) -> None:
        due = min(self.timers.values())
        self.now = due
        while falling := [key for key, at in self.timers.items() if at <= due]:
            at = self.timers.pop(falling[0])
            self.tell(do.FireTimer(*falling[0], at))

    def signal(self, name: str, value: Any) -> None:
        self.tell(do.Signal(name, value))

    def cancel(self, reason: str) -> None:
        self.tell(do.Cancel(reason))

    def outcome(self) -> Outcome | None:
        if not self.state.status.final:
            return None
        assert text_of(replay(self.state.plan, self.records)) == text_of(self.state)
        executions = {
            model_id(each.id.partition("/")[2]): (str(each.state), each.attempt)
            for each in self.projection.executions()
        }
        return Outcome(
            str(self.state.status),
            without_process(self.state.session.own(), "p"),
            frozenset(self.state.errors),
            executions,
        )
