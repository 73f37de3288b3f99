"""A question to people, and their answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from attrs import field, frozen

__all__ = ["Ballot", "Decision", "Request"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _now() -> datetime:
    """For those that an application makes; the engine says when."""
    return datetime.now(UTC)


@frozen
class Request:
    """May this action run with exactly these arguments?

    Attributes:
        id: the same wherever the request is seen; what a decision names.
        process_id: the process that waits; empty for a request that no workflow made.
        execution_id: the execution that waits; empty likewise.
        action: ``service:method``.
        args: the expanded input: what runs when it is approved.
        digest: of action, arguments and definition, as hexadecimal text: two requests with the same one ask the same.
        created_at: when it was made (aware, UTC); now, if it is not said.
        expires_at: when it is decided by itself; None: never.
        meta: what a person may want to know besides: workflow, task, ``reason`` (why it is asked), ``approvers``, ``quorum``,
            ``requestedBy``, and what an application adds.

    Example:
        >>> Request(id="r1", action="shop:refund", args={"amount": 90}).action
        'shop:refund'
    """

    id: str
    process_id: str = ""
    execution_id: str = ""
    action: str = ""
    args: Any = None
    digest: str = ""
    created_at: datetime = field(factory=_now)
    expires_at: datetime | None = None
    meta: Mapping[str, Any] = field(default=_NOTHING)


@frozen
class Decision:
    """The answer to a request.

    Attributes:
        id: that of the request.
        approved: whether the action may run.
        reason: in the words of whoever decided.
        decided_by: who; None when it was the clock, or nobody gave a name.
        decided_at: when (aware, UTC); now, if it is not said.
        args: the arguments that were approved in place of the recorded ones; None: those.
    """

    id: str
    approved: bool
    reason: str = ""
    decided_by: str | None = None
    decided_at: datetime = field(factory=_now)
    args: Any = None


@frozen
class Ballot:
    """One of several people has agreed. ``digest``: of the arguments that were agreed to; empty: the recorded ones."""

    decided_by: str
    digest: str = ""
    reason: str = ""
