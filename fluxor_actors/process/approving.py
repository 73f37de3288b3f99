"""Before an action runs: what policies say of it, who is asked, and what follows from the answer."""

from __future__ import annotations

from typing import Any

from fluxor_actors.approval import Ballot, Decision, agreeing, authorise, digest_of, out_of_reach, person, quorum_of
from fluxor_actors.definition.model import OnExpire
from fluxor_actors.errors import (
    ActionDeniedError,
    AlreadyDecidedError,
    ApprovalNotFoundError,
    AwaitTimeoutError,
    FluxorError,
    InputError,
    InvalidStateError,
)
from fluxor_actors.instants import to_datetime
from fluxor_actors.plain import to_plain
from fluxor_actors.policy import Ruling, Verdict, verdict_of
from fluxor_actors.process import commands
from fluxor_actors.process.asking import Answer
from fluxor_actors.process.attempting import schedule
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.effects import AnswerApproval, CountApproval, LapseApproval
from fluxor_actors.process.events import ApprovalExpired, ApprovalGranted, ApprovalRefused, ApprovalVoted
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.markers import SEAL, markers_in
from fluxor_actors.process.plan import TaskPlan
from fluxor_actors.process.requests import ask, decision_made, request_of
from fluxor_actors.process.run import Run
from fluxor_actors.process.states import ProcessState
from fluxor_actors.process.turn import Step, Turn

__all__ = ["decide_request", "expire", "gate", "go_on", "guarded", "ruling_of"]

_OPEN = tuple(state for state in ProcessState if not state.final)
_SOURCES = ("the engine", "the document", "the caller")


def guarded(turn: Turn, task: TaskPlan) -> bool:
    """Whether the task's action may be asked about or denied. Where nothing can be, actions run without further ado."""
    return (
        task.approval is not None
        or turn.plan.policy is not None
        or turn.rules.policy is not None
        or bool(turn.state.policies)
    )


def ruling_of(turn: Turn, task: TaskPlan) -> Ruling:
    """What engine, document and call together say of a task's action. What a sub-workflow's parents were told holds for it, too."""
    policies = (turn.rules.policy, turn.plan.policy, *turn.state.policies)
    sources = (*_SOURCES, *["the caller"] * (len(policies) - 3))
    required = task.approval is not None and task.approval.required
    return verdict_of(
        task.action, policies, sources=sources, required=required, skip_prefixes=turn.rules.approval_skip_prefixes
    )


def gate(turn: Turn, run: Run) -> None:
    """A run of an action has come to its first attempt: make it, ask, or deny it."""
    task = run.task
    ruling = ruling_of(turn, task)
    if ruling.verdict is Verdict.RUN:
        schedule(turn, run)
    elif ruling.verdict is Verdict.DENY:
        error: FluxorError = ActionDeniedError(f"{task.id}: {task.action} is denied: {ruling.reason}")
        turn.then(Step.FAIL, run, Failure.of(error, task=task.id, retryable=False))
    else:
        hopeless = _hopeless(turn, task)
        if hopeless is not None:
            turn.then(Step.FAIL, run, Failure.of(hopeless, task=task.id, retryable=False))
            return
        try:
            args = None if task.input is None else task.input.expand(run.scope, turn.now)
        except FluxorError as error:
            turn.then(Step.FAIL, run, Failure.of(error, task=task.id, retryable=False))
        else:
            ask(turn, run, args, ruling.reason)


def _hopeless(turn: Turn, task: TaskPlan) -> ActionDeniedError | None:
    """Why nobody need be asked: those who may agree are too few, and no time is set after which it would end."""
    settings = task.approval
    if settings is None or settings.expires_in is not None:
        return None
    why = out_of_reach(settings.approvers, settings.quorum, turn.state.requested_by)
    return None if why is None else ActionDeniedError(f"{task.id}: {task.action} can never be approved: {why}")


def go_on(turn: Turn, run: Run) -> None:
    """Do what follows from the answer to the request of a run that is pending again."""
    asking = run.approval
    assert asking is not None
    if asking.answer is Answer.GRANTED:
        schedule(turn, run)
    elif asking.answer is Answer.WITHDRAWN:
        # It was taken up again by a restart, and what it was asked then was never answered, or in the negative.
        ask(turn, run, run.input, str(asking.meta.get("reason", "")), asking.attempt)
    else:
        turn.then(Step.FAIL, run, _refusal(run))


def _refusal(run: Run) -> Failure:
    task, asking = run.task, run.approval
    assert asking is not None
    error: FluxorError
    if asking.answer is Answer.EXPIRED:
        text = f"{task.id}: nobody has decided in time whether {task.action} may run"
        failing = task.approval is not None and task.approval.on_expire is OnExpire.FAIL
        error = AwaitTimeoutError(text) if failing else ActionDeniedError(text)
    else:
        by = f" by {asking.decided_by}" if asking.decided_by else ""
        why = f": {asking.reason}" if asking.reason else ""
        error = ActionDeniedError(f"{task.id}: {task.action} was rejected{by}{why}")
    return Failure.of(error, task=task.id, attempt=asking.attempt, retryable=False)


def decide_request(turn: Turn, command: commands.Decide) -> None:
    """Somebody answers a request.

    Raises:
        ApprovalNotFoundError: the process has no such request, or none any more.
        AlreadyDecidedError: it is decided, or expired.
        NotAuthorizedError: that person may not decide it.
        InvalidStateError: the process has ended.
        InputError: arguments come with a rejection, or with secrets that the request does not have.
        UnrepresentableError: the arguments are not plain data.
    """
    state = turn.state
    run_id = state.approvals.get(command.request)
    if run_id is None:
        raise ApprovalNotFoundError(command.request)
    if state.status.final:
        raise InvalidStateError("decide", state.status, _OPEN)
    run = state.runs[run_id]
    asking = run.approval
    assert asking is not None
    request = request_of(state, run)
    if command.args is not None and not command.approved:
        raise InputError(f"request {request.id} is rejected, and arguments come with it: they go with an approval")
    args, digest = _changed(turn, run, to_plain(command.args))
    authorise(
        request,
        command.decided_by,
        approved=command.approved,
        votes=asking.ballots,
        decision=decision_made(asking, asking.at),
        digest=digest,
    )
    if command.approved and asking.due is not None and turn.now >= asking.due:
        # Its timer has not been delivered yet, or waits for the end of a pause. A late no does no harm.
        raise AlreadyDecidedError(f"request {request.id} for {request.action} has expired")
    name, reason = person(command.decided_by), to_plain(command.reason)
    if not command.approved:
        _stop_timer(turn, run)
        turn.emit(ApprovalRefused(run.id, request.id, name, reason))
        _answered(turn, run, approved=False, reason=reason, decided_by=name)
        return
    ballots = asking.ballots
    if name is not None and quorum_of(request) > 1:
        ballots = (*ballots, Ballot(name, digest, reason))
        if len(agreeing(ballots, digest)) < quorum_of(request):
            turn.emit(ApprovalVoted(run.id, request.id, name, reason, digest))
            turn.report(CountApproval(request, ballots, turn.now))
            return
    _stop_timer(turn, run)
    turn.emit(ApprovalGranted(run.id, request.id, name, reason, args))
    _answered(turn, run, approved=True, reason=reason, decided_by=name, args=args, ballots=ballots)


def _changed(turn: Turn, run: Run, args: Any) -> tuple[Any, str]:
    """Arguments that differ from the recorded ones, and their digest; None and nothing where they do not."""
    asking = run.approval
    assert asking is not None
    if args is None:
        return None, ""
    # Whoever sees one marker could write that of any other secret.
    foreign = sorted(markers_in(args) - markers_in(asking.args)) if SEAL in turn.state.environment else ()
    if foreign:
        raise InputError(
            f"request {asking.id} cannot be approved with these arguments: {', '.join(foreign)} does not stand in its own;"
            " changed arguments may carry only the secrets that were asked about"
        )
    digest = digest_of(run.task.action, args, turn.state.definition_hash)
    return (None, "") if digest == asking.digest else (args, digest)


def _stop_timer(turn: Turn, run: Run) -> None:
    if TimerKind.APPROVAL in run.timers:
        turn.stop_timers(run)


def _answered(
    turn: Turn,
    run: Run,
    *,
    approved: bool,
    reason: str = "",
    decided_by: str | None = None,
    args: Any = None,
    ballots: tuple[Ballot, ...] = (),
) -> None:
    """Tell of a decision, and go on."""
    request = request_of(turn.state, run)
    decision = Decision(
        id=request.id,
        approved=approved,
        reason=reason,
        decided_by=decided_by,
        decided_at=to_datetime(turn.now),
        args=args,
    )
    turn.report(AnswerApproval(request, decision, ballots))
    # While the process pauses, this holds the run until it is resumed.
    turn.then(Step.BEGIN, run)


def expire(turn: Turn, run: Run) -> None:
    """Nobody has decided in time."""
    settings, asking = run.task.approval, run.approval
    assert asking is not None
    outcome = OnExpire.REJECT if settings is None else settings.on_expire
    request = request_of(turn.state, run)
    turn.emit(ApprovalExpired(run.id, asking.id, outcome))
    turn.report(LapseApproval(request, turn.now, expired=True, reason="expired"))
    _answered(turn, run, approved=outcome is OnExpire.APPROVE, reason="expired", ballots=asking.ballots)
