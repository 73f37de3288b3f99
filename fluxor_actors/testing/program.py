"""The program that is killed: opens the store, starts the workflow or goes on with it, and leaves its result in a file."""

from __future__ import annotations

import importlib
import json
import os
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from fluxor_actors.engine import Fluxor, ProcessHandle
from fluxor_actors.engine.plans import Plans
from fluxor_actors.errors import InvalidStateError
from fluxor_actors.expression import Language
from fluxor_actors.names import execution_id
from fluxor_actors.testing.effects import EFFECTS, Effects
from fluxor_actors.testing.jobs import Job, Kill
from fluxor_actors.testing.journals import unfaithful

__all__ = ["RESULT", "run"]

RESULT = "result.json"

# The command line's, by name: this package knows nothing of it.
_LOADER = ("fluxor_actors.cli.services", "load_services")


class _Points:
    """Counts fault points, keeps the log of attempts, and kills the program at the one that it was told."""

    def __init__(self, log: Effects, kill: Kill | None) -> None:
        self.hits: Counter[str] = Counter()
        self._log = log
        self._kill = kill
        self._lock = threading.Lock()

    def __call__(self, point: str, /, process_id: str = "", run: str = "", attempt: int = 0) -> None:
        if point == "attempt.before":
            self._log.write("begin", execution_id(process_id, run), attempt)
        elif point == "outcome.before":
            self._log.write("end", execution_id(process_id, run), attempt)
        with self._lock:
            self.hits[point] += 1
            hit = self.hits[point]
            kill = self._kill
            if kill is not None and kill.point == point and kill.hit == hit:
                os.kill(os.getpid(), signal.SIGKILL)


def run(job: Job) -> None:
    """Carry the job out. Returns when the process has ended, unless the program is killed before."""
    folder = Path(job.folder)
    log = Effects(folder / EFFECTS)
    points = _Points(log, job.kill)
    loader, name = _LOADER
    services = getattr(importlib.import_module(loader), name)(job.actions) if job.actions else []
    # It is not shut down, since that takes longer than most of these workflows: whoever comes next finds a dead engine.
    engine = Fluxor(store=job.store, services=services, workers=job.workers, faults=points, **job.settings)
    runtime = engine.runtime
    if job.approve is not None:
        engine.events.subscribe(
            lambda event: log.write("decided", event.metadata["request_id"]), event_type="approval.decided"
        )
        engine.approvals.auto_approve(decided_by=job.approve)
    workflow = runtime.load_workflow(job.location) if job.location else runtime.decode_yaml_workflow(job.document)
    handle = runtime.start_process(workflow, job.inputs, process_id=job.process_id)
    log.write("started", handle.id)
    _send(handle, job, log)
    output = handle.wait(job.timeout)
    executions = [
        {"key": each.id, "task": each.task_id, "state": str(each.state), "attempt": each.attempt}
        for process in runtime.processes()
        for each in runtime.executions(process.id)
    ]
    told = json.loads(json.dumps(dict(output.output)))
    result: dict[str, Any] = {
        "state": str(output.state),
        "output": told,
        "errors": dict(output.errors),
        "hits": dict(points.hits),
        "executions": executions,
        "journal": _check(engine, job, {handle.id: told}),
    }
    unfinished = folder / f"{RESULT}.{os.getpid()}"
    unfinished.write_text(json.dumps(result), encoding="utf-8")
    unfinished.rename(folder / RESULT)


def _send(handle: ProcessHandle, job: Job, log: Effects) -> None:
    acknowledged = [line[1] for line in log.read() if line[0] == "signalled"]
    for number, (name, value) in enumerate(job.signals):
        if number in acknowledged:
            continue
        try:
            handle.signal(name, value)
        except InvalidStateError:
            return  # it has ended: what it waited for was there
        log.write("signalled", number)


def _check(engine: Fluxor, job: Job, told: dict[str, object]) -> list[tuple[str, str]]:
    from fluxor_actors.storage.sql import SqlStore  # is loaded by now

    store = SqlStore(job.store)
    try:
        plans = Plans(Language(), engine.actions, engine.types, store)
        return list(unfaithful(store, plans.plan_of, told))
    finally:
        store.close()
