"""Who wants to know what becomes of approval requests: those who listen, those who wait, those who decide by themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime

from fluxor_actors.actors.approval_outcome import outcome_of
from fluxor_actors.actors.approval_queue import ApprovalQueue
from fluxor_actors.approval import Decision, Request

__all__ = ["ApprovalDesk", "Offer"]

Offer = Callable[[Request], object]
"""Takes a new request. Quick, and never raises."""


class ApprovalDesk:
    """Passes on what has happened. Everything here is quick and waits for nobody, so that an actor may call it. Safe between threads.

    Args:
        queue: gets an event of everything.
    """

    def __init__(self, queue: ApprovalQueue) -> None:
        self.queue = queue
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Future[Decision]]] = {}
        # Replaced as a whole, so that it can be gone through without the lock.
        self._offers: tuple[Offer, ...] = ()

    # What has happened ---------------------------------------------------------------------------------------------------

    def asked(self, request: Request) -> None:
        """A request was made."""
        self.queue.publish("request.created", request, request.created_at)
        for offer in self._offers:
            offer(request)

    def again(self, request: Request) -> None:
        """A request that was made before has come up again, since its process was taken up anew."""
        for offer in self._offers:
            offer(request)

    def voted(self, request: Request, at: datetime) -> None:
        """Somebody has agreed, and that is not enough yet; ``request`` is as it is now."""
        self.queue.publish("request.updated", request, at)

    def expired(self, request: Request, at: datetime) -> None:
        """Nobody has answered in time; `answered` says what follows from that."""
        self.queue.publish("request.expired", request, at)

    def answered(self, request: Request, decision: Decision) -> None:
        """It is decided."""
        self.queue.publish("decision.created", decision, decision.decided_at, request)
        self.settle(request.id, outcome_of(request, decision))

    def gone(self, request_id: str, error: Exception) -> None:
        """There will be no decision any more."""
        self.settle(request_id, error)

    def settle(self, request_id: str, outcome: Decision | Exception) -> None:
        """Wake whoever waits, and tell nobody else."""
        with self._lock:
            futures = self._waiting.pop(request_id, [])
        for future in futures:
            # False for one that whoever waits has cancelled meanwhile.
            if not future.set_running_or_notify_cancel():
                continue
            if isinstance(outcome, Decision):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)

    # Those who want to know ----------------------------------------------------------------------------------------------

    def watch(self, request_id: str) -> Future[Decision]:
        """A future of the decision. Look after this whether it is there already; see `unwatch`."""
        future: Future[Decision] = Future()
        with self._lock:
            self._waiting.setdefault(request_id, []).append(future)
        return future

    def unwatch(self, request_id: str, future: Future[Decision]) -> None:
        """Nobody waits on what `watch` gave any more."""
        with self._lock:
            futures = self._waiting.get(request_id, [])
            if future in futures:
                futures.remove(future)
                if not futures:
                    del self._waiting[request_id]

    def watched(self) -> list[str]:
        """The requests that somebody waits for."""
        with self._lock:
            return list(self._waiting)

    def attend(self, offer: Offer) -> None:
        """Call ``offer`` with every new request from now on."""
        with self._lock:
            self._offers = (*self._offers, offer)

    @property
    def attended(self) -> bool:
        """Whether anybody wants to be offered requests."""
        return bool(self._offers)

    def leave(self, offer: Offer) -> None:
        """Call it no more."""
        with self._lock:
            self._offers = tuple(other for other in self._offers if other != offer)
