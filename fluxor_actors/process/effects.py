"""What must happen outside once events are committed: values, carried out by the actors."""

from __future__ import annotations

from typing import Any

from fluxor_actors.approval import Ballot, Decision, Request
from fluxor_actors.light import frozen
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.failure import Failure

__all__ = [
    "AbandonAttempt",
    "Answer",
    "AnswerApproval",
    "ApprovalEffect",
    "CancelChild",
    "Continue",
    "CountApproval",
    "Dispatch",
    "Effect",
    "LapseApproval",
    "PauseChild",
    "ProcessEnded",
    "RequestApproval",
    "ResumeChild",
    "SignalCancel",
    "StartTimer",
    "StopTimer",
    "WatchChild",
]


@frozen(slots=True)
class Dispatch:
    """Give the attempt to the allocator."""

    run: str
    task: int
    attempt: int
    input: Any


@frozen(slots=True)
class SignalCancel:
    """Ask the attempt's action to stop, and take it out of the allocator's queue if it has not begun."""

    run: str
    attempt: int


@frozen(slots=True)
class AbandonAttempt:
    """Nobody waits for the attempt any more: its worker is lost."""

    run: str
    attempt: int


@frozen(slots=True)
class StartTimer:
    """Deliver a `FireTimer` when it is due."""

    run: str
    kind: TimerKind
    due: float


@frozen(slots=True)
class StopTimer:
    """Forget a timer."""

    run: str
    kind: TimerKind


@frozen(slots=True)
class WatchChild:
    """Deliver a `ChildEnded` when that process has ended, also if it has already.

    ``foreign``: somebody else has started it, and it may wait for this process in its turn. ``timed``: the wait ends by itself.
    """

    run: str
    child: str
    foreign: bool = False
    timed: bool = False


@frozen(slots=True)
class CancelChild:
    """Cancel a process that a run of this one waits for."""

    child: str
    reason: str


@frozen(slots=True)
class PauseChild:
    """Pause a process that a run of this one waits for."""

    child: str


@frozen(slots=True)
class ResumeChild:
    """Resume a process that a run of this one waits for."""

    child: str


@frozen(slots=True)
class Continue:
    """Give the process an `Advance` of that run: a long piece of work goes on after others had their turn."""

    run: str


@frozen(slots=True)
class ProcessEnded:
    """Tell the parent and whoever waits."""

    failure: Failure | None


@frozen(slots=True)
class RequestApproval:
    """Put a request before people. ``again``: it may have been told of before, since the process was taken up anew."""

    request: Request
    again: bool = False


@frozen(slots=True)
class CountApproval:
    """One of several has agreed, and more are needed. ``ballots``: who has so far; ``at``: seconds since the epoch."""

    request: Request
    ballots: tuple[Ballot, ...]
    at: float


@frozen(slots=True)
class AnswerApproval:
    """A request is decided: by somebody, or, with nobody in ``decided_by``, by the clock."""

    request: Request
    decision: Decision
    ballots: tuple[Ballot, ...] = ()


@frozen(slots=True)
class LapseApproval:
    """A request is closed without anybody's answer: its time is over (an `AnswerApproval` follows), or nobody needs it any more."""

    request: Request
    at: float
    expired: bool
    reason: str


ApprovalEffect = RequestApproval | CountApproval | AnswerApproval | LapseApproval


@frozen(slots=True)
class Answer:
    """Tell the action of an attempt what it has asked for under ``ticket``: a value, or that there is none."""

    run: str
    attempt: int
    ticket: int
    value: Any = None
    failure: Failure | None = None


Effect = (
    Dispatch
    | SignalCancel
    | AbandonAttempt
    | StartTimer
    | StopTimer
    | WatchChild
    | CancelChild
    | PauseChild
    | ResumeChild
    | Continue
    | RequestApproval
    | CountApproval
    | AnswerApproval
    | LapseApproval
    | ProcessEnded
    | Answer
)
