"""Making approval requests, and taking them back."""

from __future__ import annotations

from typing import Any

from fluxor_actors.approval import Decision, Request, digest_of, request_id
from fluxor_actors.instants import to_datetime
from fluxor_actors.names import execution_id
from fluxor_actors.process.asking import Answer, Asking
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.effects import LapseApproval, RequestApproval
from fluxor_actors.process.events import ApprovalRequested, ApprovalWithdrawn
from fluxor_actors.process.run import Run
from fluxor_actors.process.state import State
from fluxor_actors.process.turn import Turn

__all__ = ["ask", "decision_made", "pending", "request_of", "withdraw"]


def ask(turn: Turn, run: Run, args: Any, reason: str, attempt: int = 0) -> None:
    """Have people asked whether the action may run with these arguments.

    Args:
        turn: the decision under way.
        run: of a task with an action.
        args: plain data.
        reason: why it is asked.
        attempt: the one that was lost, if that is what it is about.
    """
    state, task = turn.state, run.task
    settings = task.approval
    meta: dict[str, Any] = {"workflow": state.workflow, "task": task.id, "reason": reason}
    if settings is not None:
        if settings.approvers:
            meta["approvers"] = list(settings.approvers)
        if settings.quorum > 1:
            meta["quorum"] = settings.quorum
    if state.requested_by is not None:
        meta["requestedBy"] = state.requested_by
    if attempt:
        meta["attempt"] = attempt
    due = None if settings is None or settings.expires_in is None else turn.now + settings.expires_in
    if due is not None and settings is not None:
        meta["onExpire"] = str(settings.on_expire)
    turn.stop_timers(run)
    turn.emit(
        ApprovalRequested(
            run.id,
            request_id(execution_id(state.id, run.id), run.asked + 1),
            turn.now,
            args,
            digest_of(task.action, args, state.definition_hash),
            meta,
            due,
            attempt,
        )
    )
    if due is not None:
        turn.start_timer(run, TimerKind.APPROVAL, due)
    turn.report(RequestApproval(request_of(state, run)))


def pending(run: Run) -> Asking | None:
    """The request of the run that waits for an answer."""
    asking = run.approval
    return asking if asking is not None and asking.answer is Answer.PENDING else None


def request_of(state: State, run: Run) -> Request:
    """The request that was made last for a run."""
    asking = run.approval
    assert asking is not None
    return Request(
        id=asking.id,
        process_id=state.id,
        execution_id=execution_id(state.id, run.id),
        action=run.task.action,
        args=asking.args,
        digest=asking.digest,
        created_at=to_datetime(asking.at),
        expires_at=None if asking.due is None else to_datetime(asking.due),
        meta=asking.meta,
    )


def decision_made(asking: Asking, at: float) -> Decision | None:
    """How a request was decided; None as long as it is not. ``at``: a time at which it was, which nobody keeps."""
    if asking.answer is Answer.PENDING:
        return None
    return Decision(
        id=asking.id,
        approved=asking.answer is Answer.GRANTED,
        reason=asking.reason,
        decided_by=asking.decided_by,
        decided_at=to_datetime(at),
    )


def withdraw(turn: Turn, run: Run) -> None:
    """The run ends: nobody need answer its request, if one waits."""
    if pending(run) is None:
        return
    state = turn.state
    reason = state.cancel_reason or ("cancelled" if state.cancel_reason is not None else f"{run.task.id} is over")
    assert run.approval is not None
    request = request_of(state, run)
    turn.emit(ApprovalWithdrawn(run.id, request.id, reason))
    turn.report(LapseApproval(request, turn.now, expired=False, reason=reason))
