"""Asking people, and taking their answers: ``engine.approvals``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, Protocol

from fluxor_actors.actors.approval_desk import ApprovalDesk
from fluxor_actors.actors.approval_queue import ApprovalQueue
from fluxor_actors.approval import Decision, Request
from fluxor_actors.clock import Clock, SystemClock
from fluxor_actors.engine.acting import resting
from fluxor_actors.engine.approvals.asking import checked, new_request
from fluxor_actors.engine.approvals.book import Book
from fluxor_actors.engine.approvals.deciders import Decider, Judge
from fluxor_actors.errors import ApprovalNotFoundError, InputError
from fluxor_actors.ids import Ids, RandomIds
from fluxor_actors.plain import to_plain
from fluxor_actors.policy import normal_name
from fluxor_actors.process.commands import Decide

__all__ = ["ApprovalService", "Source"]


class Source(Protocol):
    """Where requests are: the service's own book, and each engine's workflows."""

    def pending(self, process_id: str | None, action: str | None) -> list[Request]:
        """Those that wait for an answer, in the order in which they were made. ``action``: as `normal_name` gives it."""
        ...

    def request(self, request_id: str) -> Request | None:
        """The request of that id, whatever has become of it."""
        ...

    def outcome(self, request_id: str) -> Decision | Exception | None:
        """Its decision, or why there will be none; None while there may be one."""
        ...

    def decide(self, command: Decide) -> Decision | None:
        """Take an answer. None: there is no such request."""
        ...


class ApprovalService:
    """Requests, decisions, and who listens to them. Safe between threads.

    That of an engine is ``engine.approvals``: it has the requests of the engine's workflows. Without an engine it gates whatever the program
    likes; such requests are kept in memory, and go by the same rules.

    Args:
        clock: the time, for tests.
        ids: makes ids of requests, for tests.
        keep: how many requests without a workflow are kept at hand after their decision.

    Attributes:
        queue: events of everything that happens to requests.

    Example:
        >>> from fluxor_actors import ApprovalService
        >>> approvals = ApprovalService()
        >>> request = approvals.request_approval(action="shop:refund", args={"amount": 90}, approvers=["ada"])
        >>> [(pending.action, pending.args) for pending in approvals.list_pending()]
        [('shop:refund', {'amount': 90})]
        >>> approvals.decide(request.id, approved=True, decided_by="ada").approved
        True
        >>> approvals.wait_for_decision(request.id, timeout=5).decided_by
        'ada'
        >>> approvals.close()
        True
    """

    def __init__(self, *, clock: Clock | None = None, ids: Ids | None = None, keep: int = 1_000) -> None:
        self._clock = clock or SystemClock()
        self._ids = ids or RandomIds()
        self.queue = ApprovalQueue()
        self.desk = ApprovalDesk(self.queue)
        self._book = Book(self._clock, self.desk, keep)
        self._sources: tuple[Source, ...] = (self._book,)
        self._deciders: tuple[Decider, ...] = ()
        self._expiring: dict[object, str] = {}
        self._lock = threading.Lock()

    # Asking --------------------------------------------------------------------------------------------------------------

    def request_approval(
        self,
        request: Request | str | None = None,
        args: Any = None,
        *,
        action: str = "",
        approvers: Iterable[str] = (),
        quorum: int = 1,
        expires_in: float | str | timedelta | None = None,
        on_expire: str = "reject",
        requested_by: str | None = None,
        reason: str = "",
        meta: Mapping[str, Any] | None = None,
        id: str | None = None,  # noqa: A002 - the interface's name
    ) -> Request:
        """Ask for something that is no workflow's task. Returns at once; see `wait_for_decision`.

        Args:
            request: a whole request, in place of everything else. One whose id is there already, and asks the same, is that one.
                A text is the action.
            args: with what it is to be done; plain data.
            action: what is to be done.
            approvers: who may decide; nobody: anybody.
            quorum: how many of them have to agree.
            expires_in: seconds, or a duration such as ``1h30m``, after which it is decided by itself.
            on_expire: ``reject``, ``approve``, or ``fail``: then there is no decision, and who waits gets an `AwaitTimeoutError`.
            requested_by: who asks, and may not decide.
            reason: why it is asked.
            meta: what else a person may want to know; plain data.
            id: in place of one that is made.

        Raises:
            InputError: it makes no sense.
            UnrepresentableError: arguments or meta are not plain data.
        """
        if request is None or isinstance(request, str):
            action = action if request is None else request
            request = new_request(
                self._ids.process() if id is None else id, self._clock.time(), action=action, args=args,
                approvers=approvers, quorum=quorum, expires_in=expires_in, on_expire=on_expire, requested_by=requested_by,
                reason=reason, meta=meta,
            )  # fmt: skip
        elif request.process_id:
            raise InputError(f"request {request.id} is that of a process, which asks for itself")
        else:
            request = checked(request)
        return self._book.put(request)

    # Looking -------------------------------------------------------------------------------------------------------------

    def list_pending(self, process_id: str | None = None, action: str | None = None) -> list[Request]:
        """The requests that wait for an answer, in the order in which they were made.

        Args:
            process_id: only those of this process.
            action: only those for this action; case does not count, and ``.`` is as good as ``:``.
        """
        wanted = None if action is None else normal_name(action)
        sources = self._sources
        found = [request for source in sources for request in source.pending(process_id, wanted)]
        return found if len(sources) == 1 else sorted(found, key=lambda request: request.created_at)

    def get(self, id: str) -> Request:  # noqa: A002 - the interface's name
        """The request of that id, decided or not.

        Raises:
            ApprovalNotFoundError: there is none.
        """
        for place in self._sources:
            request = place.request(id)
            if request is not None:
                return request
        raise ApprovalNotFoundError(id)

    def decision(self, id: str) -> Decision | None:  # noqa: A002 - the interface's name
        """How a request was decided; None as long as it is not, or if there will be no decision.

        Raises:
            ApprovalNotFoundError: there is no such request.
        """
        found = self._outcome(self.get(id).id)
        return found if isinstance(found, Decision) else None

    # Deciding ------------------------------------------------------------------------------------------------------------

    def decide(
        self,
        id: str,  # noqa: A002 - the interface's name
        approved: bool,
        reason: str = "",
        decided_by: str | None = None,
        args: Any = None,
    ) -> Decision:
        """Answer a request. Returns when that is recorded.

        Args:
            id: the request's.
            approved: yes or no.
            reason: why; whoever waits gets to know.
            decided_by: who answers.
            args: approve with these arguments in place of the recorded ones; plain data.

        Returns:
            The decision; as long as more people have to agree, your part in it.

        Raises:
            ApprovalNotFoundError: there is no such request.
            AlreadyDecidedError: it is decided.
            NotAuthorizedError: this person may not decide it.
            InvalidStateError: nobody waits for it any more.
            InputError: an argument is of the wrong kind.
            TimeoutError: another engine runs the process, and has not answered; the answer stays recorded.
        """
        command = _command(id, approved, reason, decided_by, args)
        for place in self._sources:
            decision = place.decide(command)
            if decision is not None:
                return decision
        raise ApprovalNotFoundError(id, hint="`list_pending` has those that wait")

    def wait_for_decision(self, id: str, timeout: float | None = None) -> Decision:  # noqa: A002 - the interface's name
        """The decision, as soon as there is one. The thread sleeps until then; in an action, others have its worker meanwhile.

        Args:
            id: the request's.
            timeout: seconds; None waits as long as it takes.

        Raises:
            ApprovalNotFoundError: there is no such request.
            TimeoutError: nobody has decided within that time.
            AwaitTimeoutError: it has expired, and ``fail`` was said of that.
            InvalidStateError: its process was cancelled, or has failed: there will be no decision.
            EngineStoppedError: the engine stopped.
        """
        future = self.desk.watch(id)
        try:
            outcome = self._outcome(self.get(id).id)
            if isinstance(outcome, Decision):
                return outcome
            if outcome is not None:
                raise outcome
            try:
                with nullcontext() if future.done() else resting(None):
                    return future.result(timeout)
            except TimeoutError:
                if future.done():
                    raise
                raise TimeoutError(f"nobody has decided approval request {id} within {timeout} s") from None
        finally:
            self.desk.unwatch(id, future)

    # Deciding by themselves ------------------------------------------------------------------------------------------------

    def auto_decider(self, fn: Judge, decided_by: str | None = None) -> Callable[[], None]:
        """Have a function decide: what is pending, and what comes. It runs on a thread of its own.

        Args:
            fn: called with a `Request`; answers yes or no, ``(False, "why")``, a `Decision` with other arguments, or None: it leaves the
                request to others. While it blocks others may decide; if it raises, that is logged.
            decided_by: in whose name.

        Returns:
            Call it to stop: once, twice, from any thread.
        """

        def carry_out(request: Request, verdict: Decision | tuple[bool, str]) -> None:
            if isinstance(verdict, Decision):
                who = verdict.decided_by or decided_by
                self.decide(request.id, verdict.approved, verdict.reason, who, verdict.args)
            else:
                self.decide(request.id, *verdict, decided_by)

        decider = Decider(fn, self.list_pending, carry_out, self._forget)
        with self._lock:
            self._deciders = (*self._deciders, decider)
        self.desk.attend(decider.offer)
        decider.start()
        return decider

    def auto_approve(self, reason: str = "", decided_by: str | None = None) -> Callable[[], None]:
        """Approve everything, until what is returned is called."""
        return self.auto_decider(lambda _: (True, reason), decided_by)

    def auto_reject(self, reason: str = "", decided_by: str | None = None) -> Callable[[], None]:
        """Reject everything, until what is returned is called."""
        return self.auto_decider(lambda _: (False, reason), decided_by)

    def auto_expire(self, reason: str = "nobody has answered in time") -> Callable[[], None]:
        """Reject whatever expires, with this reason and whatever was said of its expiry, until what is returned is called."""
        token = object()
        with self._lock:
            self._expiring[token] = self._book.expiring = reason

        def stop() -> None:
            with self._lock:
                self._expiring.pop(token, None)
                self._book.expiring = next(reversed(self._expiring.values()), None)

        return stop

    @property
    def expiring(self) -> str | None:
        """The reason with which everything that expires is rejected; None where what the request says holds."""
        return self._book.expiring

    # For engines -----------------------------------------------------------------------------------------------------------

    def attach(self, source: Source) -> None:
        """Have an engine's requests, too. For the engine."""
        with self._lock:
            self._sources = (*self._sources, source)
        for decider in self._deciders:
            decider.look_again()

    def detach(self, source: Source) -> None:
        """The engine has stopped."""
        with self._lock:
            self._sources = tuple(other for other in self._sources if other is not source)

    def close(self, timeout: float = 5.0) -> bool:
        """End every thread: deciders, subscribers, what lets requests expire. Safe to call twice. Whether all have ended in time.

        An engine closes its own service when it is shut down, and not one that it was given.
        """
        until = time.monotonic() + timeout
        deciders = self._deciders
        for decider in deciders:
            decider()
        ended = [decider.join(max(0.0, until - time.monotonic())) for decider in deciders]
        ended.append(self._book.close(max(0.0, until - time.monotonic())))
        return self.queue.close(max(0.0, until - time.monotonic())) and all(ended)

    def _forget(self, decider: Decider) -> None:
        self.desk.leave(decider.offer)
        with self._lock:
            self._deciders = tuple(other for other in self._deciders if other is not decider)

    def _outcome(self, request_id: str) -> Decision | Exception | None:
        for place in self._sources:
            found = place.outcome(request_id)
            if found is not None:
                return found
        return None


def _command(request_id: Any, approved: Any, reason: Any, decided_by: Any, args: Any) -> Decide:
    if not isinstance(approved, bool):
        raise InputError(f"approved is {approved!r}; expected True or False")
    if not isinstance(request_id, str) or not isinstance(reason, str):
        raise InputError(f"the request's id is {request_id!r}, the reason {reason!r}; expected text")
    if decided_by is not None and not isinstance(decided_by, str):
        raise InputError(f"decided_by is {decided_by!r}; expected a name or None")
    if args is not None and not approved:
        raise InputError("arguments were given with a rejection; they are for approving with changes")
    return Decide(
        request_id, approved, to_plain(reason), None if decided_by is None else to_plain(decided_by), to_plain(args)
    )
