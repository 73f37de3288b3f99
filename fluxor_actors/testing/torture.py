"""Killing a program again and again, and looking at what comes of its work."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from fluxor_actors.testing.effects import EFFECTS, Effects
from fluxor_actors.testing.findings import Finding
from fluxor_actors.testing.jobs import Job, Kill
from fluxor_actors.testing.journals import Committed, committed
from fluxor_actors.testing.judging import Death, judge
from fluxor_actors.testing.nursery import Nursery, errors_in
from fluxor_actors.testing.program import RESULT

__all__ = ["Torture", "Trial"]


@frozen(kw_only=True)
class Trial:
    """What came of one workflow, run to its end whatever killed it.

    Attributes:
        kills: those that struck.
        findings: what is wrong; empty when all is well.
        state: the process's at its end.
        output: the process's.
        hits: how often the last program came to each fault point.
        begun: how often each execution began, by its idempotency key.
        tasks: the task of each execution.
    """

    kills: Sequence[Kill]
    findings: Sequence[Finding]
    state: str
    output: Mapping[str, Any]
    hits: Mapping[str, int]
    begun: Mapping[str, int]
    tasks: Mapping[str, str]


class Torture:
    """Runs jobs in programs that it kills.

    Args:
        nursery: where programs come from.
        twins: two programs at once on the store instead of one; only the first of them is killed.
    """

    def __init__(self, nursery: Nursery, *, twins: bool = False) -> None:
        self._nursery = nursery
        self._twins = twins

    def run(self, job: Job, kills: Iterable[Kill | None] = (), expected: Trial | None = None) -> Trial:
        """Run the job in one program after the other, each but the last killed as ``kills`` say, until the workflow has ended.

        Args:
            job: in a folder and on a store of its own.
            kills: one for each program; when there is none left, the program is let alone.
            expected: what came of the same job when nobody killed it.
        """
        folder = Path(job.folder)
        folder.mkdir(parents=True, exist_ok=True)
        log = Effects(folder / EFFECTS)
        struck: list[Kill] = []
        deaths: list[Death] = []
        planned = iter(kills)
        try:
            for kill in planned:
                codes = self._program(evolve(job, kill=kill))
                if -signal.SIGKILL in codes and kill is not None:
                    struck.append(kill)
                    deaths.append(Death(len(log.read()), _look(job.store)))
                if (folder / RESULT).exists() or any(code > 0 for code in codes):
                    break
            else:
                self._program(evolve(job, kill=None))
            return _trial(job, log.read(), struck, deaths, expected)
        finally:
            log.close()

    def _program(self, job: Job) -> list[int]:
        jobs = [job, evolve(job, kill=None)] if self._twins else [job]
        return self._nursery.run(jobs)


def _look(store: str) -> Committed:
    from fluxor_actors.storage.sql import SqlStore  # takes 300 ms to import

    if store.startswith("sqlite:///") and not Path(store.removeprefix("sqlite:///")).exists():
        return Committed()
    opened = SqlStore(store)
    try:
        return committed(opened)
    finally:
        opened.close()


def _trial(job: Job, log: list[list[Any]], struck: list[Kill], deaths: list[Death], expected: Trial | None) -> Trial:
    begun: dict[str, int] = {}
    for line in log:
        if line[0] == "begin":
            begun[line[1]] = begun.get(line[1], 0) + 1
    result = Path(job.folder) / RESULT
    if not result.exists():
        finding = Finding("unfinished", job.process_id, f"no program came to the end: {errors_in(job.folder)}")
        return Trial(kills=struck, findings=[finding], state="", output={}, hits={}, begun=begun, tasks={})
    data = json.loads(result.read_text("utf-8"))
    keys = None if expected is None else frozenset(expected.begun)
    findings = list(judge(log, deaths, _look(job.store), expected=keys))
    findings += [Finding("journal", process_id, detail) for process_id, detail in data["journal"]]
    if data["state"] not in ("completed", "failed", "cancelled"):
        findings.append(Finding("unfinished", job.process_id, f"it is {data['state']} after {job.timeout:g} s"))
    elif expected is not None:
        findings += [Finding("differs", job.process_id, detail) for detail in _differences(data, expected)]
    tasks = {each["key"]: each["task"] for each in data["executions"]}
    return Trial(
        kills=struck, findings=findings, state=data["state"], output=data["output"], hits=data["hits"], begun=begun, tasks=tasks
    )  # fmt: skip


def _differences(data: Mapping[str, Any], expected: Trial) -> Iterator[str]:
    if data["state"] != expected.state:
        yield f"state is {data['state']}, not {expected.state}"
    for name in dict.fromkeys((*expected.output, *data["output"])):
        found, wanted = (_shown(output, name) for output in (data["output"], expected.output))
        if found != wanted:
            yield f"output {name} is {found:.100}, not {wanted:.100}"


def _shown(output: Mapping[str, Any], name: str) -> str:
    return json.dumps(output[name], sort_keys=True, ensure_ascii=False) if name in output else "missing"
