"""What has happened to approval requests. ``request`` is the id of one; a later one of the same run has another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fluxor_actors.definition.model import OnExpire
from fluxor_actors.light import frozen

__all__ = [
    "ApprovalExpired",
    "ApprovalGranted",
    "ApprovalRefused",
    "ApprovalRequested",
    "ApprovalVoted",
    "ApprovalWithdrawn",
]


@frozen(slots=True)
class ApprovalRequested:
    """Somebody has to agree before the action runs with exactly ``args``; ``attempt``: the one that was lost, if it is to be tried again."""

    run: str
    request: str
    at: float
    args: Any
    digest: str
    meta: Mapping[str, Any]
    due: float | None = None
    attempt: int = 0


@frozen(slots=True)
class ApprovalVoted:
    """One of several has agreed, and more are needed. ``digest``: of changed arguments, where it is these that were agreed to."""

    run: str
    request: str
    decided_by: str
    reason: str = ""
    digest: str = ""


@frozen(slots=True)
class ApprovalGranted:
    """The action may run. ``args``: with these arguments in place of the recorded ones."""

    run: str
    request: str
    decided_by: str | None = None
    reason: str = ""
    args: Any = None


@frozen(slots=True)
class ApprovalRefused:
    """The action may not run."""

    run: str
    request: str
    decided_by: str | None = None
    reason: str = ""


@frozen(slots=True)
class ApprovalExpired:
    """Nobody has decided in time, and that decides it."""

    run: str
    request: str
    outcome: OnExpire = OnExpire.REJECT


@frozen(slots=True)
class ApprovalWithdrawn:
    """Nobody needs an answer any more."""

    run: str
    request: str
    reason: str = ""
