"""Supervisors that die, and whole engines in a simulation, while actions wait."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fluxor_actors import ActionCancelledError, ActionContext, InvalidStateError, action
from fluxor_actors.storage import Append
from fluxor_actors.testing import simulate
from tests.engine.support import WAIT, Breaking, Make, event_names, start, workflow
from tests.orchestrator.support import DO, Steps, doing, double

TWICE = {"work": {"action": "t:double", "input": {"n": "${n}"}}}


@pytest.mark.parametrize("when", ["GroupEmitted", "WaitBegun", "WaitEnded", "ExecutionResumed"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_supervisor_dies_when_something_is_to_be_committed(make: Make, when: str, after: bool) -> None:
    broken: list[bool] = []

    def breaks(batch: Sequence[Append]) -> BaseException | None:
        if when in event_names(batch) and not broken:
            broken.append(True)
            return RuntimeError("the disk hiccups")
        return None

    steps = Steps()

    def act(context: ActionContext) -> object:
        try:
            group = context.emit_for_each([1, 2], "n", TWICE)
            outputs = context.await_group(group, WAIT)
            steps.tell(context.execution_id)
            return [outputs, context.await_resume(WAIT)]
        except ActionCancelledError:
            steps.tell("lost")
            raise

    engine = make(doing(act), double, store=Breaking(breaks, after=after), workers=2)
    handle = start(engine, DO)
    while True:
        if (told := steps.next()) == "lost":
            continue
        try:
            engine.runtime.resume_execution(told, "go on")
        except RuntimeError:
            continue  # that was what could not be committed
        except InvalidStateError:
            assert after  # it was committed all the same
        break
    output = handle.wait(WAIT)
    assert output.errors == {}
    assert output.output == {"do": [[2, 4], "go on"]}
    assert broken
    # Nothing was started twice.
    assert len(handle.executions()) == 4


def test_in_a_simulation_with_crashes(make: Make) -> None:
    @action("t:nest")
    def nest(n: int, context: ActionContext) -> int:
        if n == 0:
            return 1
        group = context.emit_for_each([n - 1, n - 1], "n", {"nest": {"action": "t:nest", "input": {"n": "${n}"}}})
        return sum([context.call("t", "double", {"n": 1}), *context.await_group(group, 1000)])

    engine = make(nest, double)
    nested = workflow(engine, "name: w\npipeline: {do: {action: t:nest, input: {n: 2}}}")
    report = simulate(nested, 15, services=[nest, double], expect=lambda run: run.output == {"do": 10}, workers=1)
    assert report.ok, report
    assert report.deaths > 0
