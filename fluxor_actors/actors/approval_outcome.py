"""What whoever waits for a decision is told."""

from __future__ import annotations

from attrs import evolve

from fluxor_actors.approval import Ballot, Decision, Filed, Request
from fluxor_actors.definition.model import OnExpire
from fluxor_actors.errors import AwaitTimeoutError, InvalidStateError
from fluxor_actors.process.states import ExecutionState

__all__ = ["counted", "outcome_of", "outcome_of_filed", "withdrawn"]


def counted(request: Request, ballots: tuple[Ballot, ...]) -> Request:
    """The request with the names of who has agreed so far, as ``approvedBy`` in its ``meta``."""
    if not ballots:
        return request
    return evolve(
        request, meta={**request.meta, "approvedBy": list(dict.fromkeys(each.decided_by for each in ballots))}
    )


def outcome_of(request: Request, decision: Decision) -> Decision | AwaitTimeoutError:
    """The decision; or that nobody has made one, where the clock did and ``fail`` was said of that."""
    late = request.expires_at is not None and decision.decided_at >= request.expires_at
    if late and decision.decided_by is None and request.meta.get("onExpire") == OnExpire.FAIL:
        return AwaitTimeoutError(f"approval request {request.id} for {request.action}: nobody has answered in time")
    return decision


def outcome_of_filed(filed: Filed) -> Decision | Exception | None:
    """What has become of a request; None while an answer is waited for."""
    if filed.decision is not None:
        return outcome_of(filed.request, filed.decision)
    if filed.withdrawn is not None:
        return withdrawn(filed.request, filed.withdrawn)
    return None


def withdrawn(request: Request, reason: str) -> InvalidStateError:
    """That there will be no decision, since nobody needs it any more."""
    error = InvalidStateError("decide a request", "withdrawn", [ExecutionState.WAIT_FOR_APPROVAL])
    text = f"approval request {request.id} for {request.action} was withdrawn"
    error.args = (f"{text}: {reason}" if reason else text,)
    return error
