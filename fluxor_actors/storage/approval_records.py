"""Approval requests as a store keeps them."""

from __future__ import annotations

from collections.abc import Iterable

from fluxor_actors.approval import Ballot, Decision, Filed, Request, filed_from_text, filed_to_text
from fluxor_actors.process.effects import (
    AnswerApproval,
    ApprovalEffect,
    CountApproval,
    LapseApproval,
    RequestApproval,
)
from fluxor_actors.storage.store import ApprovalRecord

__all__ = ["decision_of", "filed_of", "record_of", "records_of", "request_of"]


def record_of(
    request: Request,
    decision: Decision | None = None,
    *,
    ballots: Iterable[Ballot] = (),
    withdrawn: str | None = None,
    expired: bool = False,
) -> ApprovalRecord:
    """What a store keeps of a request, and of what has become of it.

    Example:
        >>> from fluxor_actors.instants import to_datetime
        >>> record = record_of(Request(id="r", process_id="p", action="shop:pay", created_at=to_datetime(0.0)))
        >>> record.pending, request_of(record).action, decision_of(record)
        (True, 'shop:pay', None)
    """
    filed = Filed(request=request, ballots=tuple(ballots), decision=decision, withdrawn=withdrawn, expired=expired)
    return ApprovalRecord(
        request.id,
        request.process_id,
        request.action,
        filed.pending,
        request.created_at.timestamp(),
        filed_to_text(filed),
    )


def filed_of(record: ApprovalRecord) -> Filed:
    """The request that a store keeps, and what has become of it."""
    return filed_from_text(record.data)


def request_of(record: ApprovalRecord) -> Request:
    """The request that a store keeps."""
    return filed_of(record).request


def decision_of(record: ApprovalRecord) -> Decision | None:
    """How it was decided; None when it was not."""
    return filed_of(record).decision


def records_of(effects: Iterable[ApprovalEffect]) -> tuple[ApprovalRecord, ...]:
    """What is to be kept of what has happened to requests, in the order in which it did. Of one request the last one holds."""
    records: dict[str, ApprovalRecord] = {}
    expired: set[str] = set()
    for effect in effects:
        request = effect.request
        if isinstance(effect, RequestApproval):
            record = record_of(request)
        elif isinstance(effect, CountApproval):
            record = record_of(request, ballots=effect.ballots)
        elif isinstance(effect, AnswerApproval):
            record = record_of(request, effect.decision, ballots=effect.ballots, expired=request.id in expired)
        elif isinstance(effect, LapseApproval) and effect.expired:
            expired.add(request.id)
            record = record_of(request, expired=True)
        else:
            record = record_of(request, withdrawn=effect.reason)
        records[request.id] = record
    return tuple(records.values())
