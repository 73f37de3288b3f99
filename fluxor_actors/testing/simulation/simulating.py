"""`simulate`: a workflow in as many orders as there are seeds."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve

from fluxor_actors.testing.simulation.chaos import CHAOS, Chaos
from fluxor_actors.testing.simulation.outcome import Failed, Played, SimulationReport
from fluxor_actors.testing.simulation.playing import Drive, Expect, Scenario, play
from fluxor_actors.testing.simulation.shrinking import shrink
from fluxor_actors.testing.simulation.world import Document, read_document

__all__ = ["simulate"]

_logger = logging.getLogger(__name__)


def _nothing(run: object) -> None:
    """People do nothing."""


def simulate(
    workflow: Document,
    seeds: int | Iterable[int] = 100,
    *,
    inputs: Mapping[str, Any] | None = None,
    tasks: Iterable[str] = (),
    actions: Mapping[str, Any] | None = None,
    services: Iterable[object] = (),
    faults: Chaos = CHAOS,
    drive: Drive = _nothing,
    expect: Expect = None,
    within: float | str = "365d",
    tries: int = 300,
    most: int = 10,
    **options: Any,
) -> SimulationReport:
    r"""Run a workflow once for each seed, on one thread and in virtual time, and check that what must hold does.

    What holds for every workflow is checked without being asked for: that it ends or can say what it waits for, that its journal replays to what is
    stored, that no completed execution runs again, that progress adds up, that nothing begins after a cancellation but ``finally``, and that
    nothing is left over.

    Args:
        workflow: what to run.
        seeds: how many, from 0, or which.
        inputs: values of the session.
        tasks: run only these, and what they depend on.
        actions: what actions do, by ``service:method``: a value that they return, a `Behaviour`, a list of these by attempt, or a function that is the
            action; ``*`` stands for all that are not named.
        services: real actions, as for `Fluxor`. They may wait for the engine, and for nothing else: nothing goes on meanwhile.
        faults: what goes wrong.
        drive: what people do while it runs: called with a `SimulatedRun`. After it, time passes as long as something is to come by itself.
        expect: a state, values of the output, or a function of the `SimulatedRun` that raises `AssertionError`, or answers False, if it is not as it should be.
        within: of virtual time, for that.
        tries: how many smaller documents are tried once a seed has failed; 0: none.
        most: after so many seeds that failed no more are played.
        options: of `Fluxor`, and ``store``: ``memory`` or ``sqlite``.

    Returns:
        What came of it; `SimulationReport.check` raises if a seed failed, and says which.

    Raises:
        DefinitionError: the workflow does not validate.

    Example:
        >>> from fluxor_actors.testing import simulate
        >>> report = simulate(
        ...     "name: order\npipeline: {pay: {action: shop:pay}, ship: {action: shop:ship}}",
        ...     seeds=20,
        ...     actions={"shop:pay": "paid", "shop:ship": "shipped"},
        ...     expect=lambda run: run.ran("pay", "ship"),
        ... )
        >>> report.ok, report.states
        (True, {'completed': 20})
    """
    scenario = Scenario(
        workflow=read_document(workflow), inputs=inputs or {}, tasks=tuple(tasks), actions=actions or {},
        services=tuple(services), faults=faults, drive=drive, expect=expect, within=within, options=options,
    )  # fmt: skip
    states: Counter[str] = Counter()
    hashes: dict[int, str] = {}
    failures: list[Failed] = []
    first: Played | None = None
    deaths = 0
    for seed in range(seeds) if isinstance(seeds, int) else seeds:
        played = play(scenario, seed)
        states.update(played.states)
        hashes[seed], deaths = played.hash, deaths + played.deaths
        if not played.findings:
            continue
        _logger.warning("%s fails with seed %d: %s", scenario.workflow.name, seed, played.findings[0])
        first = first or played
        failures.append(Failed(seed=seed, findings=played.findings, hash=played.hash, lines=played.lines))
        if len(failures) >= most:
            break
    if first is not None and tries:
        failures[0] = evolve(failures[0], smallest=shrink(scenario, first, tries, always=len(failures) == len(hashes)))
    return SimulationReport(
        workflow=scenario.workflow.name, seeds=len(hashes), failures=tuple(failures), states=dict(states), deaths=deaths,
        hashes=hashes,
    )  # fmt: skip
