"""What events of approval requests do to a state."""

from __future__ import annotations

from attrs import evolve

from fluxor_actors.approval import Ballot
from fluxor_actors.definition.model import OnExpire
from fluxor_actors.process import events as happened
from fluxor_actors.process.asking import Answer, Asking
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.run import Run
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState

__all__: list[str] = []

_E = ExecutionState


def requested(state: State, event: happened.ApprovalRequested) -> None:
    run = state.runs[event.run]
    state.move(run, _E.WAIT_FOR_APPROVAL)
    if run.delegated is not None:
        run.delegated.waits.clear()
    if run.approval is not None:
        state.approvals.pop(run.approval.id, None)
    run.asked += 1
    run.approval = Asking(event.request, event.at, event.due, event.args, event.digest, event.meta, event.attempt)
    state.approvals[event.request] = run.id
    run.timers.clear()
    if event.due is not None:
        run.timers[TimerKind.APPROVAL] = event.due
    if event.attempt:
        # It was lost with its engine, which is no try.
        run.tries -= 1
    if not run.scheduled:
        run.input = event.args


def voted(state: State, event: happened.ApprovalVoted) -> None:
    run = state.runs[event.run]
    asking = _asking(run)
    ballot = Ballot(event.decided_by, event.digest, event.reason)
    run.approval = evolve(asking, ballots=(*asking.ballots, ballot))


def granted(state: State, event: happened.ApprovalGranted) -> None:
    run = state.runs[event.run]
    _answer(state, run, Answer.GRANTED, event.decided_by, event.reason)
    if event.args is not None:
        run.input = event.args


def refused(state: State, event: happened.ApprovalRefused) -> None:
    _answer(state, state.runs[event.run], Answer.REFUSED, event.decided_by, event.reason)


def expired(state: State, event: happened.ApprovalExpired) -> None:
    answer = Answer.GRANTED if event.outcome is OnExpire.APPROVE else Answer.EXPIRED
    _answer(state, state.runs[event.run], answer, None, "")


def withdrawn(state: State, event: happened.ApprovalWithdrawn) -> None:
    run = state.runs[event.run]
    run.approval = evolve(_asking(run), answer=Answer.WITHDRAWN, reason=event.reason)
    run.timers.pop(TimerKind.APPROVAL, None)


def _asking(run: Run) -> Asking:
    assert run.approval is not None
    return run.approval


def _answer(state: State, run: Run, answer: Answer, decided_by: str | None, reason: str) -> None:
    """Let the run go on to what follows from the answer: at once, or when the process is resumed."""
    state.move(run, _E.PENDING)
    run.approval = evolve(_asking(run), answer=answer, decided_by=decided_by, reason=reason)
    run.timers.pop(TimerKind.APPROVAL, None)
