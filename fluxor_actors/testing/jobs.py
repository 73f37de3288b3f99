"""What one program is to do, and where it is to be killed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict, field, frozen

__all__ = ["Job", "Kill", "job_from_json", "job_to_json"]


@frozen(kw_only=True)
class Kill:
    """When a program is killed: the ``hit``-th time it comes to a fault point, or so many seconds after it has begun.

    Attributes:
        point: one of `FAULT_POINTS`.
        hit: which time, from 1.
        after: seconds; given in place of a point.
    """

    point: str | None = None
    hit: int = 1
    after: float | None = None

    def __str__(self) -> str:
        return f"{self.point} #{self.hit}" if self.point else f"after {(self.after or 0) * 1000:.0f} ms"


@frozen(kw_only=True)
class Job:
    """A workflow to be run on a store by a program of its own.

    Attributes:
        store: its URL.
        location: where the document is; or else ``document`` is its text.
        actions: modules and files with actions, as the command line's ``--actions``.
        inputs: values to start with.
        process_id: the same each time, so that what was begun is gone on with.
        signals: names and values, each sent once the process has started, until that is acknowledged.
        approve: in whose name whatever asks for approval is approved; None: nobody decides.
        workers: how many actions run at once.
        settings: more of the engine's settings.
        timeout: seconds for the whole run.
        folder: where the program leaves its log and its result.
        kill: when it is killed.
    """

    store: str
    folder: str
    document: str = ""
    location: str = ""
    actions: Sequence[str] = ()
    inputs: Mapping[str, Any] = field(factory=dict)
    process_id: str = "job"
    signals: Sequence[tuple[str, Any]] = ()
    approve: str | None = None
    workers: int = 4
    settings: Mapping[str, Any] = field(factory=dict)
    timeout: float = 60.0
    kill: Kill | None = None


def job_to_json(job: Job) -> str:
    """The job as one line."""
    return json.dumps(asdict(job))


def job_from_json(text: str) -> Job:
    """The job that `job_to_json` has written.

    Example:
        >>> job = Job(store="memory://", folder="/tmp", kill=Kill(point="commit.after", hit=3))
        >>> job_from_json(job_to_json(job)) == job
        True
    """
    data = json.loads(text)
    kill = data.pop("kill")
    data["signals"] = tuple((name, value) for name, value in data["signals"])
    data["actions"] = tuple(data["actions"])
    return Job(**data, kill=None if kill is None else Kill(**kill))
