"""The core, the engine on threads, and the engine in a simulation do with generated documents what the model does."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.model.checking import check_core, check_seeds, check_threaded, lockstep, seeds
from tests.model.generator import INPUTS, generate
from tests.model.lockstep import Disagreement
from tests.model.model import Outcome, Under
from tests.model.simulated import check_simulated
from tests.model.subject import Core


def test_the_core_agrees_with_the_model() -> None:
    chosen = seeds(150, 0)
    ended = check_seeds(check_core, chosen)
    assert ended["unsettled"] + ended["invalid"] < 0.25 * len(chosen) + 10
    if len(chosen) >= 150:
        assert min(ended["completed"], ended["failed"], ended["cancelled"]) > 5


def test_the_engine_on_threads_agrees_with_the_model() -> None:
    check_seeds(check_threaded, seeds(40, 1000))


def test_the_simulated_engine_agrees_with_the_model_in_every_order() -> None:
    check_seeds(check_simulated, seeds(25, 2000))


@pytest.mark.long
@pytest.mark.parametrize("part", range(10))
def test_the_core_agrees_with_the_model_on_thousands_of_documents(part: int) -> None:
    chosen = seeds(500, 10_000, part)
    print(f"seeds {chosen}: {check_seeds(check_core, chosen)}")


@pytest.mark.long
@pytest.mark.parametrize("part", range(10))
def test_the_engine_on_threads_agrees_with_the_model_on_a_thousand_documents(part: int) -> None:
    chosen = seeds(100, 20_000, part)
    print(f"seeds {chosen}: {check_seeds(check_threaded, chosen)}")


@pytest.mark.long
@pytest.mark.parametrize("part", range(10))
def test_the_simulated_engine_agrees_with_the_model_on_a_thousand_documents(part: int) -> None:
    chosen = seeds(100, 30_000, part)
    print(f"seeds {chosen}: {check_seeds(check_simulated, chosen)}")


def test_generated_documents_have_every_construct() -> None:
    text = str([generate(seed) for seed in range(150)])
    keys = set(re.findall(r"'(\w+)': ", text))
    assert keys >= {
        "action", "input", "init", "post", "when", "goto", "dependsOn", "dependencies", "async", "concurrency", "template", "emit", "await",
        "matrix", "failFast", "include", "exclude", "retry", "retryOn", "maxDelay", "timeout", "scheduleIn", "catch", "finally", "namespace", "signal", "on",
    }  # fmt: skip
    assert set(re.findall(r"'(?:kind|mode|merge|type)': '(\w+)'", text)) == {
        "Sequence", "Parallel", "Graph", "all", "first", "anyError", "append", "replace", "exponential",
    }  # fmt: skip


class _Wrong(Core):
    """A subject that gets something wrong."""

    wrong = ""

    def under_way(self, expected: Under) -> Under:
        found = super().under_way(expected)
        if self.wrong == "input":
            return dict.fromkeys(found, "other")
        if self.wrong == "early":
            return found | {("w/nobody", 1): None}
        return found

    def due(self, expected: float | None) -> float | None:
        due = super().due(expected)
        return due and due + 1 if self.wrong == "late" else due

    def outcome(self) -> Outcome | None:
        outcome = super().outcome()
        if outcome is None:
            return None
        wrong: dict[str, Any] = {
            "state": "paused",
            "output": outcome.output | {"v": 99},
            "errors": outcome.errors | {"w/nobody"},
            "executions": {**outcome.executions, "w/nobody": ("completed", 1)},
        }
        fields = {name: getattr(outcome, name) for name in wrong}
        if self.wrong in fields:
            fields[self.wrong] = wrong[self.wrong]
        return Outcome(**fields)


@pytest.mark.parametrize("wrong", ["input", "early", "late", "state", "output", "errors", "executions"])
def test_what_is_wrong_is_found(wrong: str) -> None:
    document = {
        "name": "w",
        "init": {"v": 1},
        "pipeline": {"tasks": {"a": {"action": "t:x", "scheduleIn": "5s", "input": {"a": 1}}}},
    }
    subject = _Wrong(document, INPUTS)
    lockstep(3, document, subject).run()
    subject = _Wrong(document, INPUTS)
    subject.wrong = wrong
    with pytest.raises(Disagreement):
        lockstep(3, document, subject).run()
