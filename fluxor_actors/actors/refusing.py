"""Commands that are refused: nothing has changed, and whoever asked is told why."""

from __future__ import annotations

from typing import Any

from pykka import Future

from fluxor_actors.errors import (
    AlreadyDecidedError,
    ApprovalNotFoundError,
    FluxorError,
    InputError,
    InvalidStateError,
    NotAuthorizedError,
    StoreError,
    UnrepresentableError,
)
from fluxor_actors.storage import Store, filed_of

__all__ = ["REFUSALS", "refuse", "unknown_request"]

REFUSALS: tuple[type[FluxorError], ...] = (
    InvalidStateError,
    AlreadyDecidedError,
    ApprovalNotFoundError,
    NotAuthorizedError,
    InputError,
    UnrepresentableError,
)
"""What a command may be refused with. Any other error says that a supervisor is at its end."""


def unknown_request(store: Store, request_id: str) -> FluxorError:
    """Why a process does not know a request: there is none, or it is over, and forgotten by the process."""
    try:
        record = store.approval(request_id)
    except StoreError:
        record = None
    if record is None:
        return ApprovalNotFoundError(request_id)
    filed = filed_of(record)
    decision = filed.decision
    if filed.withdrawn is not None:
        how = f"was withdrawn: {filed.withdrawn}"
    elif decision is None:
        how = "is decided"
    else:
        by = f" by {decision.decided_by}" if decision.decided_by else ""
        how = f"is decided: {'approved' if decision.approved else 'rejected'}{by}"
    return AlreadyDecidedError(f"request {request_id} for {record.action} {how}")


def refuse(reply: Future[Any], error: BaseException) -> None:
    """Answer with an error."""
    if not isinstance(error, Exception):
        # A SystemExit is nothing to raise in the thread of whoever asked.
        wrapped = RuntimeError(f"the process's supervisor raised {error!r}")
        wrapped.__cause__ = error
        error = wrapped
    reply.set_exception((type(error), error, None))
