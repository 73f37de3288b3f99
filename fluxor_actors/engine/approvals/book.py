"""Requests that no workflow made: kept in memory, decided by the same rules."""

from __future__ import annotations

import threading
from collections import OrderedDict

from attrs import define, field

from fluxor_actors.actors.approval_desk import ApprovalDesk
from fluxor_actors.actors.approval_outcome import counted, outcome_of
from fluxor_actors.actors.messages import CancelTimer, SetTimer
from fluxor_actors.actors.timer import Timer
from fluxor_actors.approval import Ballot, Decision, Request, agreeing, authorise, digest_of, person, quorum_of
from fluxor_actors.clock import Clock
from fluxor_actors.definition.model import OnExpire
from fluxor_actors.errors import InputError
from fluxor_actors.instants import to_datetime
from fluxor_actors.policy import normal_name
from fluxor_actors.process.commands import Command, Decide, TimerKind

__all__ = ["Book"]

_LATE = "nobody has answered in time"


@define
class _Entry:
    request: Request
    votes: list[Ballot] = field(factory=list)
    decision: Decision | None = None

    @property
    def pending(self) -> bool:
        return self.decision is None


class Book:
    """Makes requests, keeps them, and lets them expire. Safe between threads.

    Args:
        clock: whose time it goes by.
        desk: is told everything, in order.
        keep: how many that are not pending any more are kept at hand.
    """

    def __init__(self, clock: Clock, desk: ApprovalDesk, keep: int = 1_000) -> None:
        self._clock = clock
        self._desk = desk
        self._keep = keep
        self._lock = threading.RLock()
        self._pending: dict[str, _Entry] = {}
        self._done: OrderedDict[str, _Entry] = OrderedDict()
        self._timer = Timer(clock, self._due, name="fluxor-approval-timer")
        #: says why, where whatever expires is rejected whatever was said of it
        self.expiring: str | None = None

    def put(self, request: Request) -> Request:
        """Make a request; of an id that is there already, nothing changes, and the answer is that one.

        Raises:
            InputError: there is another one of this id.
        """
        with self._lock:
            found = self._find(request.id)
            if found is not None:
                if found.request.digest != request.digest:
                    raise InputError(f"approval request {request.id} is there already, and asks something else")
                return found.request
            self._pending[request.id] = _Entry(request)
            self._desk.asked(request)
            if request.expires_at is not None:
                self._timer.tell(SetTimer("", request.id, TimerKind.APPROVAL, request.expires_at.timestamp()))
        return request

    def pending(self, process_id: str | None, action: str | None) -> list[Request]:
        """Those that wait for an answer, in the order in which they were made. ``action``: as `normal_name` gives it."""
        with self._lock:
            requests = [entry.request for entry in self._pending.values()]
        if process_id is not None:
            return []
        return [each for each in requests if action is None or normal_name(each.action) == action]

    def request(self, request_id: str) -> Request | None:
        """The request of that id."""
        with self._lock:
            entry = self._find(request_id)
            return None if entry is None else entry.request

    def outcome(self, request_id: str) -> Decision | Exception | None:
        """How a request has ended: None while it is pending."""
        with self._lock:
            entry = self._find(request_id)
            if entry is None or entry.decision is None:
                return None
            return outcome_of(entry.request, entry.decision)

    def decide(self, command: Decide) -> Decision | None:
        """Take somebody's answer. None: there is no such request.

        Returns:
            The decision; as long as more people have to agree, what this one has said.

        Raises:
            AlreadyDecidedError: it is decided, or has expired; or this person has agreed already.
            NotAuthorizedError: this person may not decide it.
        """
        with self._lock:
            entry = self._find(command.request)
            if entry is None:
                return None
            expires_at = entry.request.expires_at
            if entry.pending and expires_at is not None and expires_at.timestamp() <= self._clock.time():
                # The timer's thread has not come to it yet.
                self._expire(entry)
            return self._decide(entry, command)

    def close(self, timeout: float) -> bool:
        """Let nothing expire any more. Whether the thread has ended."""
        return self._timer.shutdown(timeout)

    def _find(self, request_id: str) -> _Entry | None:
        return self._pending.get(request_id) or self._done.get(request_id)

    def _decide(self, entry: _Entry, command: Decide) -> Decision:
        request = entry.request
        digest = "" if command.args is None else digest_of(request.action, command.args)
        if digest == digest_of(request.action, request.args):
            digest = ""
        authorise(
            request,
            command.decided_by,
            approved=command.approved,
            votes=entry.votes,
            decision=entry.decision,
            digest=digest,
        )
        name = person(command.decided_by)
        decision = Decision(
            id=request.id,
            approved=command.approved,
            reason=command.reason,
            decided_by=name,
            decided_at=to_datetime(self._clock.time()),
            args=command.args if digest else None,
        )
        if command.approved and quorum_of(request) > 1:
            assert name is not None, "authorised"
            entry.votes.append(Ballot(name, digest, command.reason))
            if len(agreeing(entry.votes, digest)) < quorum_of(request):
                entry.request = counted(request, tuple(entry.votes))
                self._desk.voted(entry.request, decision.decided_at)
                return decision
        self._end(entry, decision)
        return decision

    def _end(self, entry: _Entry, decision: Decision) -> None:
        entry.decision = decision
        request = entry.request
        del self._pending[request.id]
        self._done[request.id] = entry
        while len(self._done) > self._keep:
            self._done.popitem(last=False)
        if request.expires_at is not None:
            self._timer.tell(CancelTimer("", request.id, TimerKind.APPROVAL))
        self._desk.answered(request, decision)

    def _due(self, _: str, command: Command) -> None:
        with self._lock:
            entry = self._pending.get(getattr(command, "run", ""))
            if entry is not None:
                self._expire(entry)

    def _expire(self, entry: _Entry) -> None:
        request, now = entry.request, to_datetime(self._clock.time())
        self._desk.expired(request, now)
        approved = self.expiring is None and request.meta.get("onExpire") == OnExpire.APPROVE
        reason = self.expiring or _LATE
        self._end(entry, Decision(id=request.id, approved=approved, reason=reason, decided_at=now))
