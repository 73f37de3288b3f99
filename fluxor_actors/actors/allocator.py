"""The allocator: gives attempts to workers, fairly, and no more at once than it may."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import pykka
from pykka import ActorDeadError

from fluxor_actors.actors.dispatched import DispatchedActor
from fluxor_actors.actors.draining import Leaving, drain, unreturned
from fluxor_actors.actors.lanes import Lane, Lanes
from fluxor_actors.actors.messages import (
    Abandon,
    AllocatorStatus,
    Assignment,
    Drain,
    ReclaimSlot,
    ReleaseSlot,
    ReportRunning,
    ReportStatus,
    Withdraw,
    WorkerIdle,
    WorkerLost,
)
from fluxor_actors.actors.queue_report import QueueReport, ReportQueue
from fluxor_actors.actors.seats import Returning, Seat
from fluxor_actors.actors.worker import Spawn, WorkerHandle
from fluxor_actors.errors import ActionCancelledError, ActionCrashedError, ActionError, ConfigError
from fluxor_actors.names import execution_id
from fluxor_actors.process.commands import AttemptFailed, AttemptStarted
from fluxor_actors.process.failure import Failure

__all__ = ["Allocator", "drain"]

_logger = logging.getLogger(__name__)

_Key = tuple[str, str, int]


def _key(assignment: Assignment) -> _Key:
    return assignment.process_id, assignment.run, assignment.attempt


def _id(assignment: Assignment) -> str:
    return execution_id(assignment.process_id, assignment.run)


def _tell(assignment: Assignment, message: Any) -> None:
    try:
        assignment.supervisor.tell(message)
    except ActorDeadError:
        _logger.debug("nobody waits for %s", _id(assignment))


class Allocator(DispatchedActor):
    """Takes `Assignment`, `Abandon`, `WorkerIdle`, `WorkerLost`, `ReleaseSlot`, `ReclaimSlot`, and answers `Drain` and `ReportStatus`.

    Every message costs the same, however much is queued. Workers are started when there is work for them, up to ``workers``, and stay until the
    end. An attempt that waits inside (`ReleaseSlot`) counts neither as running nor towards its action's limit; it goes on (`ReclaimSlot`)
    before anything new begins, as soon as it fits both again. An abandoned attempt's worker counts for neither any more: another is started
    in its place.

    Args:
        spawn: starts a worker.
        workers: how many attempts may run at once.
        action_limits: how many attempts of an action, ``service:method``, may run at once.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        spawn: Spawn,
        workers: int,
        action_limits: Mapping[str, int] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if workers < 1:
            raise ConfigError(f"workers is {workers}; expected at least 1")
        super().__init__()
        self._spawn = spawn
        self._time = clock
        self._workers = workers
        # How many workers there may be: one for each attempt that may run, and for each that waits inside.
        self._limit = workers
        # How many attempts run, without those that wait inside.
        self._busy = 0
        self._returning = Returning()
        self._lanes = Lanes(action_limits or {})
        self._seats: dict[WorkerHandle, Seat] = {}
        self._idle: list[Seat] = []
        self._running: dict[_Key, Seat] = {}
        # Workers of abandoned attempts that have not come back, and those that have been told to end, for who waits for their threads.
        self._abandoned: dict[WorkerHandle, Assignment] = {}
        self._ending: list[WorkerHandle] = []
        self._lost = 0
        self._draining: list[pykka.Future[Any]] | None = None

    def on_receive(self, message: Any) -> Any:
        kind = type(message)
        if kind is Assignment:
            self._assign(message)
        elif kind is WorkerIdle:
            self._came_back(message)
        elif kind is Abandon:
            self._abandon(message)
        elif kind is Withdraw:
            self._withdraw(message)
        elif kind is ReleaseSlot:
            self._release(message)
        elif kind is ReclaimSlot:
            self._reclaim(message)
        elif kind is WorkerLost:
            self._worker_died(message)
        elif kind is ReportStatus:
            return self._status()
        elif kind is ReportRunning:
            return {key[1]: seat.since for key, seat in self._running.items() if key[0] == message.process_id}
        elif kind is ReportQueue:
            return QueueReport(self._lanes.waiting_of(message.process_id), self._busy, self._workers)
        elif kind is Drain:
            return self._drain()
        elif kind is Leaving:
            return unreturned(self._running.values(), self._abandoned.values()), tuple(self._ending)
        else:
            raise TypeError(f"the allocator has no use for a {kind.__name__}")
        return None

    def on_error(self, message: Any, error: BaseException) -> bool:
        """Go on: one message that makes no sense must not stop all work."""
        _logger.error("the allocator could not handle %r", message, exc_info=error)
        return True

    def on_stop(self) -> None:
        """Let every worker end after what it is at."""
        for seat in self._seats.values():
            seat.worker.stop(block=False)
            if seat.released and seat.cut is not None:
                seat.cut()
            seat.answer()
        status = self._status()
        for reply in self._draining or ():
            reply.set(status)

    # What comes in -------------------------------------------------------------------------------------------------------

    def _assign(self, assignment: Assignment) -> None:
        lanes = self._lanes
        lane = lanes.lane_of(assignment)
        if self._idle and not lanes.queued and not lane.full and self._draining is None:
            # Most often nobody waits, and somebody is free.
            lane.running += 1
            self._hand(self._idle.pop(), assignment, lane)
            return
        lanes.put(assignment, lane)
        self._fill()

    def _came_back(self, message: WorkerIdle) -> None:
        seat = self._seats.get(message.worker)
        if seat is None:
            # It was given up; the wish that it end is in its inbox already.
            self._abandoned.pop(message.worker, None)
            self._check_drained()
            return
        self._vacate(seat)
        self._readmit()
        if self._draining is not None or len(self._seats) > self._limit:
            self._dismiss(seat)
        else:
            self._hand_next(seat)
        self._check_drained()

    def _abandon(self, message: Abandon) -> None:
        if self._lanes.remove(message.process_id, message.run, message.attempt) is not None:
            return
        seat = self._running.get((message.process_id, message.run, message.attempt))
        if seat is None or seat.assignment is None:
            return
        assignment = seat.assignment
        self._vacate(seat)
        del self._seats[seat.worker]
        assignment.cancellation.cancel("nobody waits for it any more")
        # It ends when its action returns after all.
        seat.worker.stop(block=False)
        self._abandoned[seat.worker] = assignment
        self._count_lost(assignment, "its action does not return")
        self._fill()
        self._check_drained()

    def _withdraw(self, message: Withdraw) -> None:
        assignment = self._lanes.remove(message.process_id, message.run, message.attempt)
        if assignment is not None:
            error = ActionCancelledError(f"{assignment.task_id} was cancelled before it began")
            self._fail(assignment, error)

    def _release(self, message: ReleaseSlot) -> None:
        seat = self._running.get(_key(message.assignment))
        if seat is None or seat.assignment is not message.assignment or seat.lane is None:
            return
        seat.cut = message.cut
        if seat.released:
            # It waits again before it has got its place back: it does not need one.
            self._returning.remove(seat)
            seat.answer()
        else:
            seat.released = True
            self._busy -= 1
            self._limit += 1
            self._lanes.done(seat.lane)
            self._fill()
        self._check_drained()

    def _reclaim(self, message: ReclaimSlot) -> None:
        reply = self.defer_reply()
        seat = self._running.get(_key(message.assignment))
        if seat is None or seat.assignment is not message.assignment or not seat.released or seat.lane is None:
            if reply is not None:
                reply.set(None)
            return
        if reply is not None:
            seat.replies.append(reply)
        if message.at_once or self._draining is not None or (self._busy < self._workers and not seat.lane.full):
            self._take_back(seat)
        else:
            self._returning.add(seat)

    def _readmit(self) -> None:
        """Let attempts go on that have waited, as many as there are places."""
        while self._busy < self._workers:
            seat = self._returning.take()
            if seat is None:
                return
            self._take_back(seat)

    def _take_back(self, seat: Seat) -> None:
        assert seat.lane is not None
        self._returning.remove(seat)
        seat.released = False
        seat.cut = None
        self._busy += 1
        self._limit -= 1
        self._lanes.enter(seat.lane)
        seat.answer()
        if self._idle and len(self._seats) > self._limit:
            self._dismiss(self._idle.pop())

    def _worker_died(self, message: WorkerLost) -> None:
        seat = self._seats.pop(message.worker, None)
        if seat is None:
            self._abandoned.pop(message.worker, None)
        else:
            if seat in self._idle:
                self._idle.remove(seat)
            assignment = seat.assignment
            self._vacate(seat)
            self._count_lost(assignment, "its thread ended")
            if assignment is not None:
                self._crash(assignment, "the worker's thread ended")
            self._fill()
        self._check_drained()

    # What goes out -------------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Let those go on who have waited; then give work to whoever has none, starting workers while there may be more of them."""
        self._readmit()
        while self._draining is None:
            if self._idle:
                if not self._hand_next(self._idle.pop()):
                    return
            elif len(self._seats) < self._limit:
                taken = self._lanes.take()
                if taken is None or not self._start_worker(*taken):
                    return
            else:
                return

    def _start_worker(self, assignment: Assignment, lane: Lane) -> bool:
        try:
            worker = self._spawn(self.actor_ref)
        except Exception as error:  # the system has no thread to give, or no memory
            self._lanes.done(lane)
            if self._busy:
                _logger.warning("no further worker: %s", error)
                self._lanes.put(assignment, lane)
                return False
            # Nobody is there who could take it later: let whoever waits know, rather than wait for ever.
            _logger.exception("no worker can be started")
            self._crash(assignment, f"no worker could be started: {error}")
            return True
        seat = Seat(worker)
        self._seats[worker] = seat
        self._hand(seat, assignment, lane)
        return True

    def _hand_next(self, seat: Seat) -> bool:
        """Give a free worker the next that waits, or put it with the idle ones and say False."""
        taken = self._lanes.take()
        if taken is None:
            self._idle.append(seat)
            return False
        self._hand(seat, *taken)
        return True

    def _hand(self, seat: Seat, assignment: Assignment, lane: Lane) -> None:
        seat.assignment = assignment
        seat.lane = lane
        seat.since = self._time()
        self._busy += 1
        self._running[assignment.process_id, assignment.run, assignment.attempt] = seat
        # A worker that is given something has nothing else to do: it begins at once. Told from here, this wakes no thread.
        if assignment.tell_start:
            _tell(assignment, AttemptStarted(assignment.run, assignment.attempt))
        try:
            seat.worker.tell(assignment)
        except ActorDeadError:
            # It has died just now, and may have said so before it was given this.
            self._worker_died(WorkerLost(seat.worker, assignment))

    def _vacate(self, seat: Seat) -> None:
        """Its attempt is over, for the allocator at least."""
        assignment, lane = seat.assignment, seat.lane
        if assignment is None or lane is None:
            return
        if seat.released:
            self._returning.remove(seat)
            seat.released = False
            seat.cut = None
            self._limit -= 1
        else:
            self._busy -= 1
            self._lanes.done(lane)
        seat.answer()
        seat.assignment = seat.lane = None
        key = _key(assignment)
        if self._running.get(key) is seat:
            del self._running[key]

    def _dismiss(self, seat: Seat) -> None:
        del self._seats[seat.worker]
        seat.worker.stop(block=False)
        if self._draining is None:
            self._ending = [worker for worker in self._ending if not worker.join(0)]
        self._ending.append(seat.worker)

    def _crash(self, assignment: Assignment, reason: str) -> None:
        self._fail(assignment, ActionCrashedError(f"{assignment.service}:{assignment.method}: {reason}"))

    def _fail(self, assignment: Assignment, error: ActionError) -> None:
        failure = Failure.of(error, task=assignment.task_id, attempt=assignment.attempt)
        _tell(assignment, AttemptFailed(assignment.run, assignment.attempt, failure))

    def _count_lost(self, assignment: Assignment | None, reason: str) -> None:
        self._lost += 1
        _logger.warning(
            "a worker is lost at %s: %s", "nothing" if assignment is None else _id(assignment), reason,
            extra={} if assignment is None else {"process_id": assignment.process_id, "execution_id": _id(assignment)},
        )  # fmt: skip

    # The end -------------------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        reply = self.defer_reply()
        if self._draining is None:
            self._draining = []
            while self._idle:
                self._dismiss(self._idle.pop())
            for seat in tuple(self._running.values()):
                if seat.replies:
                    self._take_back(seat)
        if reply is not None:
            self._draining.append(reply)
        self._check_drained()

    def _check_drained(self) -> None:
        if self._draining is None:
            return
        if self._running:
            if not self._busy:
                # Nothing begins any more, so that those who wait do so in vain.
                for cut in [seat.cut for seat in self._running.values() if seat.cut is not None]:
                    cut()
            return
        status = self._status()
        while self._draining:
            self._draining.pop().set(status)

    def _status(self) -> AllocatorStatus:
        return AllocatorStatus(
            queued=self._lanes.queued,
            running=tuple(_id(seat.assignment) for seat in self._running.values() if seat.assignment is not None),
            abandoned=tuple(map(_id, self._abandoned.values())),
            idle=len(self._idle),
            workers=len(self._seats),
            lost=self._lost,
        )
