"""Transitions cost the same whatever the number of tasks, children and past events: counted in Python calls, which are not noisy."""

from __future__ import annotations

import sys
from collections import deque
from types import FrameType
from typing import Any

import pytest

from fluxor_actors.process.codec import state_to_plain
from fluxor_actors.process.commands import Advance, AttemptSucceeded, Cancel, Command, ResumeFailed, Start
from fluxor_actors.process.decide import Rules, decide
from fluxor_actors.process.effects import Continue, Dispatch
from fluxor_actors.process.state import State
from tests.process.driver import plan_of


class Counter:
    """Runs a process, and counts the Python calls that deciding takes."""

    def __init__(self, text: str) -> None:
        self.state = State(plan_of(text))
        self.calls = 0
        self.dispatched = 0
        self.sizes: list[tuple[int, int]] = []
        self.rules = Rules(max_transitions=10**9)

    def _count(self, _frame: FrameType, kind: str, _arg: Any) -> None:
        self.calls += kind == "call"

    def run(self, *first: Command, answer: bool = True) -> Counter:
        queue: deque[Command] = deque(first)
        before = sys.getprofile()
        while queue:
            command = queue.popleft()
            sys.setprofile(self._count)
            decision = decide(self.state, command, 0.0, self.rules)
            sys.setprofile(before)
            for effect in decision.effects:
                if type(effect) is Dispatch:
                    self.dispatched += 1
                    if answer:
                        queue.append(AttemptSucceeded(effect.run, effect.attempt, 1))
                    if self.dispatched % 200 == 0:
                        self.sizes.append((len(self.state.runs), len(repr(state_to_plain(self.state)))))
                elif type(effect) is Continue:
                    queue.append(Advance(effect.run))
        return self


def fan(count: int) -> str:
    return f"name: w\npipeline: {{e: {{async: true, template: {{selector: [{{name: n, value: '${{range({count})}}'}}], task: {{work: {{action: t:x}}}}}}}}}}"


def bounded(count: int) -> str:
    return fan(count).replace("async: true", "concurrency: 10")


def chain(count: int) -> str:
    return "name: w\npipeline: {" + ", ".join(f"t{number}: {{action: t:x}}" for number in range(count)) + "}"


def loop(count: int) -> str:
    return f"name: w\npipeline: {{a: {{action: t:x, post: {{n: '${{n + 1}}'}}, goto: {{when: '${{n < {count}}}', task: a}}}}}}"


def graph(count: int) -> str:
    tasks = ", ".join(f"t{number}: {{action: t:x}}" for number in range(count))
    needed = ", ".join(f"t{number}" for number in range(count))
    return f"name: w\npipeline: {{kind: Graph, tasks: {{{tasks}, last: {{action: t:x, dependsOn: [{needed}]}}}}}}"


def queue(count: int) -> str:
    return (
        "name: w\npipeline: {p: {kind: Parallel, concurrency: 5, tasks: {"
        + ", ".join(f"t{number}: {{action: t:x}}" for number in range(count))
        + "}}}"
    )


@pytest.mark.parametrize(
    ("make", "few", "many"),
    [
        (fan, 400, 4000),
        (bounded, 400, 4000),
        (chain, 150, 1500),
        (loop, 400, 4000),
        (graph, 150, 1500),
        (queue, 150, 1500),
    ],
)
def test_the_cost_of_a_task_does_not_grow(make: Any, few: int, many: int) -> None:
    costs = []
    for count in (few, many):
        counter = Counter(make(count)).run(Start("p", {"n": 0}))
        assert str(counter.state.status) == "completed"
        assert counter.dispatched >= count
        costs.append(counter.calls / count)
    assert costs[1] <= costs[0] * 1.1, costs


@pytest.mark.parametrize("make", [fan, queue])
def test_the_cost_of_cancelling_and_restarting_a_task_does_not_grow(make: Any) -> None:
    costs = []
    for count in (200, 2000):
        counter = Counter(make(count)).run(Start("p", {}), answer=False)
        counter.calls = 0
        counter.run(Cancel("x"), answer=False)
        for run in [run.id for run in counter.state.runs.values() if str(run.status) == "scheduled"]:
            counter.run(AttemptSucceeded(run, 1, 1), answer=False)
        assert str(counter.state.status) == "cancelled"
        counter.run(ResumeFailed())
        assert str(counter.state.status) == "completed"
        costs.append(counter.calls / count)
    assert costs[1] <= costs[0] * 1.1, costs


@pytest.mark.parametrize(
    "text",
    [
        loop(2000),
        """
name: w
pipeline:
  s:
    e: {emit: {forEach: "[1, 2]", as: m, task: {work: {action: t:x}}}}
    beside: {action: t:x, async: true}
    j: {await: {on: e, mode: first}}
    a: {action: t:x, post: {n: "${n + 1}"}}
    catch: {goto: {task: again}}
    finally: {action: t:x}
  again: {goto: {when: "${n < 400}", task: s}}
""",
        'name: w\npipeline: {a: {action: t:x, input: "${1 / 0}"}, catch: {action: t:x, post: {n: "${n + 1}"}, goto: {when: "${n < 1500}", task: a}}}',
    ],
    ids=["self", "scopes", "catch"],
)
def test_a_long_loop_keeps_its_state_flat(text: str) -> None:
    counter = Counter(text).run(Start("p", {"n": 0}))
    assert str(counter.state.status) == "completed"
    runs, sizes = zip(*counter.sizes, strict=True)
    assert len(runs) > 5
    assert max(runs) <= min(runs) + 8
    assert max(sizes) <= min(sizes) + 2000
