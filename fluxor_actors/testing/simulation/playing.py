"""One seed, from the start of a process to the last check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import field, frozen

from fluxor_actors.definition import Workflow
from fluxor_actors.errors import DefinitionError
from fluxor_actors.process.states import ProcessState
from fluxor_actors.testing.findings import Finding
from fluxor_actors.testing.simulation.chaos import Chaos
from fluxor_actors.testing.simulation.invariants import broken
from fluxor_actors.testing.simulation.listening import errors_of
from fluxor_actors.testing.simulation.outcome import Played
from fluxor_actors.testing.simulation.run import SimulatedRun
from fluxor_actors.testing.simulation.world import Simulation

__all__ = ["Drive", "Expect", "Scenario", "play"]

Drive = Callable[[SimulatedRun], object]
"""Does what people do while a process runs."""

Expect = Callable[[SimulatedRun], object] | str | Mapping[str, Any] | None
"""What should come of it: a state; values of the output; a function that raises `AssertionError`, or answers False, if it is not as it should be."""


@frozen(kw_only=True)
class Scenario:
    """What is the same for all seeds."""

    workflow: Workflow
    inputs: Mapping[str, Any] = field(factory=dict)
    tasks: tuple[str, ...] = ()
    actions: Mapping[str, Any] = field(factory=dict)
    services: tuple[object, ...] = ()
    faults: Chaos
    drive: Drive
    expect: Expect
    within: float | str
    options: Mapping[str, Any] = field(factory=dict)


def play(scenario: Scenario, seed: int) -> Played:
    """Play one seed."""
    findings: list[Finding] = []
    simulation = Simulation(
        seed, actions=scenario.actions, services=scenario.services, faults=scenario.faults, **scenario.options
    )
    with simulation, errors_of(simulation, findings):
        try:
            run = simulation.run(scenario.workflow, scenario.inputs, *scenario.tasks)
            scenario.drive(run)
            run.rest(scenario.within)
            simulation.calm()
            findings += _unexpected(run, scenario.expect)
            findings += broken(simulation)
        except DefinitionError:
            raise
        except Exception as error:  # whatever is wrong is to be told with its seed
            findings.append(Finding("expected", scenario.workflow.name, f"{type(error).__name__}: {error}"))
        states = Counter(str(header.state) for header in simulation.store.headers())
    return Played(
        seed=seed,
        findings=tuple(findings),
        hash=simulation.trace.hash,
        lines=tuple(simulation.trace.lines) if findings else (),
        states=states,
        deaths=simulation.deaths,
    )


def _unexpected(run: SimulatedRun, expect: Expect) -> Iterable[Finding]:
    try:
        problem = _problem(run, expect)
    except AssertionError as error:
        problem = str(error) or "an assertion does not hold"
    return [] if problem is None else [Finding("expected", run.id, problem)]


def _problem(run: SimulatedRun, expect: Expect) -> str | None:
    if expect is None:
        return None
    if isinstance(expect, str):
        wanted, state = ProcessState(expect), run.state
        return None if state is wanted else f"state is {state}, not {wanted}; errors are {run.errors}"
    if isinstance(expect, Mapping):
        output = run.output
        wrong = {name: output.get(name) for name, value in expect.items() if output.get(name) != value}
        return (
            None if not wrong else f"output is {wrong}, not {dict(expect)}; state is {run.state}, errors {run.errors}"
        )
    return "it was not as expected" if expect(run) is False else None
