"""Who may decide, when it is decided, and how requests are named. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from fluxor_actors.approval.model import Ballot, Decision, Request
from fluxor_actors.errors import AlreadyDecidedError, NotAuthorizedError

__all__ = ["agreeing", "authorise", "digest_of", "out_of_reach", "person", "quorum_of", "request_id"]


def request_id(execution_id: str, ordinal: int) -> str:
    """The id of an execution's request number ``ordinal`` (from 1): 16 hexadecimal digits, the same each time it is asked for.

    Example:
        >>> request_id("p1/order/pay", 1) == request_id("p1/order/pay", 1) != request_id("p1/order/pay", 2)
        True
    """
    return hashlib.sha256(f"{execution_id}\0{ordinal}".encode("utf-8", "replace")).hexdigest()[:16]


def digest_of(action: str, args: Any, definition: str = "") -> str:
    """A digest of what is asked for: the same for the same action, arguments (plain data, keys in any order) and definition.

    Example:
        >>> digest_of("shop:pay", {"a": 1, "b": 2}) == digest_of("shop:pay", {"b": 2, "a": 1})
        True
    """
    text = json.dumps([action, args, definition], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def person(name: str | None) -> str | None:
    """Who a name stands for; no name, or an empty one, stands for nobody."""
    return name.strip() or None if name is not None else None


def quorum_of(request: Request) -> int:
    """How many people have to agree."""
    return int(request.meta.get("quorum") or 1)


def out_of_reach(approvers: Sequence[str], quorum: int, requested_by: str | None) -> str | None:
    """Why so many people can never agree; None: they can.

    Example:
        >>> out_of_reach(["ada", "bob"], 2, "bob")
        'it takes 2 of ada, bob, and bob, who has requested it, does not count'
        >>> out_of_reach(["ada", "bob"], 1, "bob") is None
        True
    """
    requester = person(requested_by)
    able = {*approvers} - {requester}
    if not approvers or len(able) >= quorum:
        return None
    own = f", and {requester}, who has requested it, does not count" if requester in approvers else ""
    return f"it takes {quorum} of {', '.join(approvers)}{own}"


def authorise(
    request: Request,
    decided_by: str | None,
    *,
    approved: bool = True,
    votes: Sequence[Ballot] = (),
    decision: Decision | None = None,
    digest: str = "",
) -> None:
    """Raise unless this person may decide this request now. Every way in goes through here.

    ``meta`` of the request says who: ``approvers`` (none: anybody), ``requestedBy`` (never counts; nobody equals nobody), and ``quorum``
    (people who give no name cannot be told apart, and count only where one is enough).

    Args:
        request: what is to be decided.
        decided_by: who wants to decide; None: gives no name.
        approved: which way.
        votes: who has agreed so far.
        decision: what was decided, if it is.
        digest: of the arguments that are agreed to, where these may differ from the recorded ones.

    Raises:
        AlreadyDecidedError: it is decided, or this person has agreed to the same already.
        NotAuthorizedError: that person may not decide it.
    """
    if decision is not None:
        how = "approved" if decision.approved else "rejected"
        by = f" by {decision.decided_by}" if decision.decided_by else ""
        raise AlreadyDecidedError(f"request {request.id} for {request.action} is decided: {how}{by}")
    name = person(decided_by)
    approvers = tuple(request.meta.get("approvers") or ())
    who = name or "somebody who gives no name"
    if approvers and name not in approvers:
        raise NotAuthorizedError(
            f"{who} may not decide request {request.id} for {request.action}; it is for {', '.join(approvers)}"
        )
    if name is not None and name == person(request.meta.get("requestedBy")):
        raise NotAuthorizedError(
            f"{name} has requested what request {request.id} for {request.action} asks, and somebody else has to decide"
        )
    quorum = quorum_of(request)
    if approved and quorum > 1 and name is None:
        raise NotAuthorizedError(
            f"request {request.id} for {request.action} takes {quorum} different people: say who decides"
        )
    if approved and any(vote.decided_by == name and vote.digest == digest for vote in votes):
        missing = quorum - len(agreeing(votes, digest))
        raise AlreadyDecidedError(
            f"{who} has approved request {request.id} for {request.action} already; it takes {missing} more"
        )


def agreeing(votes: Sequence[Ballot], digest: str = "") -> tuple[str, ...]:
    """Who has agreed to arguments of that digest: each person's last vote counts."""
    last = {vote.decided_by: vote.digest for vote in votes}
    return tuple(name for name, agreed in last.items() if agreed == digest)
