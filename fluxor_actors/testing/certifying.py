"""Killing a workflow at every durable step."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import evolve

from fluxor_actors.definition import Workflow, to_json
from fluxor_actors.faults import FAULT_POINTS
from fluxor_actors.testing.jobs import Job, Kill
from fluxor_actors.testing.nursery import Nursery
from fluxor_actors.testing.report import Report, Step
from fluxor_actors.testing.torture import Torture, Trial

__all__ = ["certify"]


def certify(
    workflow: Workflow | str | Path,
    *,
    actions: Sequence[str] = (),
    inputs: Mapping[str, Any] | None = None,
    signals: Sequence[tuple[str, Any]] = (),
    approve: str | None = None,
    workers: int = 4,
    timeout: float = 60.0,
    most: int | None = 500,
    same_output: bool = True,
    store: str | None = None,
    watch: Callable[[int, int], object] | None = None,
) -> Report:
    """Run a workflow once undisturbed, and then once for every durable step, killed there and started again.

    Each run is in programs of its own, on a database of its own; the actions are really called.

    Args:
        workflow: its location, or a workflow that was loaded or decoded.
        actions: modules or files with the actions, such as ``actions.py`` or ``shop.actions:Orders``.
        inputs: values to start with.
        signals: names and values to send to it once it has started.
        approve: in whose name whatever asks for approval is approved; None: nobody decides, and a workflow that asks does not end.
        workers: how many actions run at once.
        timeout: seconds for one run.
        most: how many steps at most, spread evenly; None: all.
        same_output: whether it is wrong that the output differs from that of the undisturbed run.
        store: the URL of a PostgreSQL database, in which each run has a schema that is dropped after it; None: each has a file of SQLite.
        watch: called ``(steps done, steps in all)``.

    Returns:
        A table of effects that were lost or repeated. An action that was under way when its program died is called again, unless its
        ``onCrash`` says otherwise; that is counted, and not wrong.

    Raises:
        ValueError: the undisturbed run does not come to an end; with what its program has said.
        StoreError: ``store`` is another kind of database, or refuses.
        StoreUnavailableError: its server cannot be reached.
    """
    name = workflow.name if isinstance(workflow, Workflow) else Path(workflow).stem
    with tempfile.TemporaryDirectory(prefix="fluxor-certify-") as folder, Nursery() as nursery:
        job = _job(workflow, actions=tuple(actions), inputs=dict(inputs or {}), signals=tuple(signals), approve=approve, workers=workers, timeout=timeout)  # fmt: skip
        torture = Torture(nursery)
        with _placed(job, Path(folder), 0, store) as place:
            calm = torture.run(place)
        unfinished = next((each.detail for each in calm.findings if each.kind == "unfinished"), None)
        if unfinished is not None:
            raise ValueError(f"the workflow does not come to an end even when nobody kills it: {unfinished}")
        places = list(_places(calm))
        chosen = places if most is None or len(places) <= most else _spread(places, most)
        steps = []
        for number, kills in enumerate(chosen, 1):
            with _placed(job, Path(folder), number, store) as place:
                trial = torture.run(place, kills, calm)
            if trial.kills:
                steps.append(_step(trial, calm, same_output=same_output))
            if watch is not None:
                watch(number, len(chosen))
    return Report(workflow=name, calm=calm, steps=steps, left_out=len(places) - len(chosen))


def _job(workflow: Workflow | str | Path, **options: Any) -> Job:
    if not isinstance(workflow, Workflow):
        return Job(store="", folder="", location=str(workflow), **options)
    if workflow.source:
        return Job(store="", folder="", location=workflow.source, **options)
    return Job(store="", folder="", document=to_json(workflow), **options)


@contextmanager
def _placed(job: Job, folder: Path, number: int, store: str | None) -> Iterator[Job]:
    """The job in a folder and on a store of its own, both of which are gone afterwards."""
    own = folder / str(number)
    own.mkdir()
    try:
        if store is None:
            yield evolve(job, folder=str(own), store=f"sqlite:///{own / 'store.db'}")
            return
        from fluxor_actors.storage.sql.scratch import scratch  # takes 300 ms to import

        with scratch(store) as url:
            yield evolve(job, folder=str(own), store=url)
    finally:
        shutil.rmtree(own)


def _places(calm: Trial) -> Iterator[tuple[Kill, ...]]:
    """What to kill: the program at each fault point that the undisturbed one came to, and the one that takes over."""
    for point in FAULT_POINTS:
        if point != "takeover.after":
            for hit in range(1, calm.hits.get(point, 0) + 1):
                yield (Kill(point=point, hit=hit),)
    for hit in (1, max(1, calm.hits.get("dispatch.after", 1))):
        first = Kill(point="dispatch.after" if "dispatch.after" in calm.hits else "commit.after", hit=hit)
        yield (first, Kill(point="takeover.after"))
        yield (first, Kill(point="commit.before"))


def _spread(places: list[tuple[Kill, ...]], most: int) -> list[tuple[Kill, ...]]:
    return [places[number * len(places) // most] for number in range(most)]


def _step(trial: Trial, calm: Trial, *, same_output: bool) -> Step:
    again = [key for key, times in trial.begun.items() if times > calm.begun.get(key, 0) and key in calm.begun]
    findings = trial.findings
    if not same_output:
        findings = [each for each in findings if each.kind != "differs" or not each.detail.startswith("output")]
    return Step(kills=trial.kills, findings=findings, again=again)
