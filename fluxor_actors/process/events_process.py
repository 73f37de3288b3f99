"""What has happened to a process as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field

from fluxor_actors.light import frozen
from fluxor_actors.policy import Policy
from fluxor_actors.process.failure import Failure

__all__ = [
    "PauseRequested",
    "ProcessCancelRequested",
    "ProcessCancelled",
    "ProcessCompleted",
    "ProcessFailed",
    "ProcessPaused",
    "ProcessRestarted",
    "ProcessResumed",
    "ProcessStarted",
    "SessionSteered",
    "SignalReceived",
]


@frozen(slots=True)
class ProcessStarted:
    """A process was accepted. ``session`` holds the caller's values and what ``init`` made of them."""

    process_id: str
    workflow: str
    version: str
    definition_hash: str
    session: Mapping[str, Any]
    tasks: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(factory=dict)
    requested_by: str | None = None
    parent_id: str | None = None
    parent_run: str | None = None
    root_id: str | None = None
    environment: Mapping[str, Any] = field(factory=dict)
    values: Mapping[str, Any] = field(factory=dict)
    policies: tuple[Policy, ...] = ()


@frozen(slots=True)
class PauseRequested:
    """Nothing new starts from here on. ``task``: the one whose ``autoPause`` asked for it."""

    task: int | None = None


@frozen(slots=True)
class ProcessPaused:
    """Nothing is under way any more."""


@frozen(slots=True)
class ProcessResumed:
    """Held work goes on."""


@frozen(slots=True)
class ProcessCancelRequested:
    """Everything but ``finally`` is to stop."""

    reason: str


@frozen(slots=True)
class ProcessCancelled:
    """The end, by cancellation. ``failure``: of a ``finally`` on the way."""

    failure: Failure | None = None


@frozen(slots=True)
class ProcessCompleted:
    """The end, as it should be."""


@frozen(slots=True)
class ProcessFailed:
    """The end, by a failure that nothing caught."""

    failure: Failure


@frozen(slots=True)
class ProcessRestarted:
    """What failed or was cancelled is pending again."""


@frozen(slots=True)
class SessionSteered:
    """Session values were set from outside."""

    values: Mapping[str, Any]


@frozen(slots=True)
class SignalReceived:
    """A named value came from outside."""

    name: str
    value: Any
