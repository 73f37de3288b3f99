"""Drives the model and a subject by the same steps, and compares them after each."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from random import Random
from typing import Any

from attrs import define, field

from tests.model.model import Model, Outcome
from tests.model.subject import GRACE, NOW, Subject

__all__ = ["ERRORS", "Disagreement", "Lockstep", "differences"]

ERRORS: Mapping[str, tuple[str, ...]] = {
    name: tuple(each.__name__ for each in getattr(builtins, name).__mro__ if each not in (object, BaseException))
    for name in ("ValueError", "KeyError", "ConnectionError")
}
"""What actions raise: names and those of bases."""

_SIGNALS = ("go", "stop")


class Disagreement(AssertionError):  # noqa: N818 - that is what it is
    """Model and subject differ; the text tells how it came to that."""


@define
class Lockstep:
    """One process. ``failing``: out of ten attempts, how many fail. ``patient``: time passes only when nothing else can happen."""

    document: Mapping[str, Any]
    inputs: Mapping[str, Any]
    subject: Subject
    random: Random
    failing: int = 2
    patient: bool = True
    cancelling: bool = False
    story: list[str] = field(factory=list)
    count: int = 0
    model: Model = field(init=False)

    def run(self) -> str:
        """From start to end. Returns the final state."""
        self.model = Model(self.document, self.inputs, NOW, GRACE)
        self.model.start()
        for _ in range(2000):
            if self.model.unsettled:
                return "unsettled"
            self.compare()
            if self.model.ended:
                return self.compare_ends()
            self.step()
        raise self.differ("the process does not come to an end")

    def compare(self) -> None:
        expected = self.model.under_way()
        found = self.subject.under_way(expected)
        if _loose(found) != _loose(expected):
            raise self.differ(f"under way: {_text(found)}\nmodel: {_text(expected)}")
        due = self.model.strands.next_due()
        left = None if due is None else due - self.model.strands.now
        found_left = self.subject.due(left)
        if (left is None) != (found_left is None) or abs((left or 0.0) - (found_left or 0.0)) > 0.0005:
            raise self.differ(f"next time: {found_left}\nmodel: {left}: {self.model.strands.timers}")

    def compare_ends(self) -> str:
        found = self.subject.outcome()
        expected = self.model.outcome()
        if found is None:
            raise self.differ("the model has ended, and the subject has not")
        different = differences(self.model, found)
        if different:
            raise self.differ(different)
        return expected.state

    def step(self) -> None:
        """Something happens, to both."""
        model, random = self.model, self.random
        under_way = sorted(model.attempts)
        due = model.strands.next_due()
        choices = ["finish"] * (5 * bool(under_way))
        if due is not None and not (self.patient and under_way):
            choices += ["time"]
        if not choices or random.random() < 0.05:
            choices += ["signal"] if any(model.waiters.values()) or random.random() < 0.2 or not choices else []
        if self.cancelling and not model.reason and random.random() < 0.1:
            choices = ["cancel"]
        if not choices:
            raise self.differ("nothing can happen any more")
        getattr(self, f"_{random.choice(choices)}")()

    def _finish(self) -> None:
        key = self.random.choice(sorted(self.model.attempts))
        self.count += 1
        if self.random.randrange(10) < self.failing:
            name = self.random.choice(sorted(ERRORS))
            kind: str = "failure"
            result: Any = ERRORS[name]
        else:
            values: list[Any] = [self.count, {"n": self.count, "from": key[0]}, [self.count], None]
            kind, result = "value", self.random.choice(values)
        self.story.append(f"{key} {kind} {result if kind == 'value' else result[0]}")
        self.subject.finish(key, kind, result)
        self.model.finish(key, kind, result)

    def _time(self) -> None:
        due = self.model.strands.next_due()
        assert due is not None
        seconds = due - self.model.strands.now
        self.story.append(f"{seconds:g} s pass")
        self.subject.advance(seconds)
        self.model.strands.advance()

    def _signal(self) -> None:
        waiting = {name: waiters for name, waiters in self.model.waiters.items() if waiters}
        name = self.random.choice(sorted(waiting) or _SIGNALS)
        # Silent: who is first of those that have begun to wait at the same instant.
        since = [run.waits_since for run in waiting.get(name, ())]
        self.model.unsettled = self.model.unsettled or (len(since) > 1 and since[0] == since[1])
        self.count += 1
        self.story.append(f"signal {name} {self.count}")
        self.subject.signal(name, self.count)
        self.model.signal(name, self.count)

    def _cancel(self) -> None:
        self.story.append("cancel")
        self.subject.cancel("enough")
        self.model.cancel("enough")

    def differ(self, what: str) -> Disagreement:
        story = "\n".join(self.story)
        return Disagreement(
            f"{what}\n\nafter:\n{story}\n\nof {json.dumps(self.document)}\nstarted with {dict(self.inputs)}"
        )


def _text(under_way: Mapping[tuple[str, int], Any]) -> str:
    return ", ".join(f"{run} {attempt}: {value}" for (run, attempt), value in sorted(under_way.items()))


def differences(model: Model, found: Outcome) -> str:
    """Where something has ended in another way than the model has."""
    expected = model.outcome()
    lines = []
    for name in ("state", "errors", "output", "executions"):
        one, other = getattr(found, name), getattr(expected, name)
        lines += [
            f"{name} {key}: {_at(one, key)}\nmodel: {_at(other, key)}"
            for key in _differing(one, other)
            if name != "executions" or not model.open_ended(key, one.get(key))
        ]
    return "\n".join(lines)


def _differing(found: Any, expected: Any) -> list[str]:
    """Where two differ."""
    if not isinstance(found, dict):
        return [] if found == expected else [""]
    return [key for key in sorted({*found, *expected}) if _loose(_at(found, key)) != _loose(_at(expected, key))]


def _loose(value: Any) -> Any:
    """A value in which the text of a mapping has lost its order: that of tasks which end at the same instant is open."""
    if isinstance(value, dict):
        return {key: _loose(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_loose(each) for each in value]
    return "".join(sorted(value)) if isinstance(value, str) and '{"' in value else value


def _at(whole: Any, key: str) -> Any:
    return whole.get(key, "nothing") if isinstance(whole, dict) else whole
