"""Requests and decisions as text, for whoever keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from fluxor_actors.approval.model import Ballot, Decision, Request
from fluxor_actors.instants import to_datetime

__all__ = ["Filed", "filed_from_text", "filed_to_text"]


@frozen(kw_only=True)
class Filed:
    """A request, and what has become of it.

    Attributes:
        request: as it was made.
        ballots: who has agreed so far, where several have to.
        decision: None as long as there is none.
        withdrawn: why nobody needs it any more; None: somebody does, or did when it was decided.
        expired: whether its time was over before anybody decided.
    """

    request: Request
    ballots: tuple[Ballot, ...] = ()
    decision: Decision | None = None
    withdrawn: str | None = None
    expired: bool = False

    @property
    def pending(self) -> bool:
        """Whether an answer is still waited for."""
        return self.decision is None and self.withdrawn is None and not self.expired


def filed_to_text(filed: Filed) -> str:
    """As JSON; times in seconds since the epoch.

    Example:
        >>> filed = Filed(request=Request(id="r", action="a:b", args=[1], created_at=to_datetime(0.0)), withdrawn="cancelled")
        >>> filed_from_text(filed_to_text(filed)) == filed
        True
    """
    request, decision = filed.request, filed.decision
    data: dict[str, Any] = {
        "request": {
            "id": request.id,
            "process": request.process_id,
            "execution": request.execution_id,
            "action": request.action,
            "args": request.args,
            "digest": request.digest,
            "created": request.created_at.timestamp(),
            "expires": None if request.expires_at is None else request.expires_at.timestamp(),
            "meta": dict(request.meta),
        }
    }
    if filed.ballots:
        data["ballots"] = [[each.decided_by, each.digest, each.reason] for each in filed.ballots]
    if decision is not None:
        data["decision"] = {
            "approved": decision.approved,
            "reason": decision.reason,
            "by": decision.decided_by,
            "at": decision.decided_at.timestamp(),
            "args": decision.args,
        }
    if filed.withdrawn is not None:
        data["withdrawn"] = filed.withdrawn
    if filed.expired:
        data["expired"] = True
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def filed_from_text(text: str) -> Filed:
    """What `filed_to_text` has written."""
    data = json.loads(text)
    given = data["request"]
    request = Request(
        id=given["id"],
        process_id=given["process"],
        execution_id=given["execution"],
        action=given["action"],
        args=given["args"],
        digest=given["digest"],
        created_at=to_datetime(given["created"]),
        expires_at=None if given["expires"] is None else to_datetime(given["expires"]),
        meta=given["meta"],
    )
    return Filed(
        request=request,
        ballots=tuple(Ballot(*each) for each in data.get("ballots", ())),
        decision=_decision(request.id, data.get("decision")),
        withdrawn=data.get("withdrawn"),
        expired=data.get("expired", False),
    )


def _decision(request_id: str, data: Mapping[str, Any] | None) -> Decision | None:
    if data is None:
        return None
    return Decision(
        id=request_id,
        approved=data["approved"],
        reason=data["reason"],
        decided_by=data["by"],
        decided_at=to_datetime(data["at"]),
        args=data["args"],
    )
