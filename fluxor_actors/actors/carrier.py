"""Between allocator and workers: a queue in place of inboxes.

What an assignment refers to, supervisor, cancellation, session, cannot leave the program. It stays in a table, and what goes through the queue is a ticket to it. One
that nobody has a table for, since its engine is gone, is acknowledged and dropped: whoever takes over reads in the journal what was under way.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
import uuid
from queue import SimpleQueue
from typing import Any

from pykka import ActorDeadError

from fluxor_actors.actors.messages import Assignment, Mailbox, WorkerIdle, WorkerLost
from fluxor_actors.actors.worker import Spawn, WorkerHandle
from fluxor_actors.messaging import Message, Queue

__all__ = ["Carrier"]

_logger = logging.getLogger(__name__)

_GLANCE = 2.0
"""Seconds after which it is looked whether tickets are missing, or the engine stops though its queue cannot say so."""
_LOST = 30.0
_LONGEST = 5.0


class _Carried:
    """A worker, as the allocator sees it: what it is told travels through the queue."""

    def __init__(self, carrier: Carrier, spawn: Spawn, allocator: Mailbox) -> None:
        self._carrier = carrier
        self._allocator = allocator
        self.ticket = 0
        self.worker: WorkerHandle = spawn(_Reports(self))

    def tell(self, message: Any, /) -> None:
        self._carrier.send(self, message)

    def stop(self, *, block: bool) -> Any:
        waiting = self._carrier.take_back(self)
        if waiting is not None:
            self._allocator.tell(WorkerIdle(self, waiting))
        return self.worker.stop(block=block)

    def join(self, timeout: float | None = None) -> bool:
        return self.worker.join(timeout)

    def report(self, message: Any) -> None:
        """What the worker tells its allocator."""
        if isinstance(message, WorkerIdle):
            self._carrier.settle(self)
            message = WorkerIdle(self, message.assignment)
        elif isinstance(message, WorkerLost):
            self._carrier.settle(self, "its worker died")
            message = WorkerLost(self, message.assignment)
        self._allocator.tell(message)


class _Reports:
    """Stands for the allocator, towards a worker."""

    def __init__(self, carried: _Carried) -> None:
        self._carried = carried

    def tell(self, message: Any) -> None:
        self._carried.report(message)


class _Entry:
    """An assignment on its way. ``message``: its ticket, once that has come out of the queue."""

    __slots__ = ("assignment", "carried", "message", "sent")

    def __init__(self, carried: _Carried, assignment: Assignment) -> None:
        self.carried = carried
        self.assignment = assignment
        self.message: Message[Any] | None = None
        self.sent = time.monotonic()


class Carrier:
    """A `Spawn` whose workers get their assignments through a queue, which must be this engine's alone.

    The allocator gives out no more than there are workers, so the queue holds no more either. One thread puts tickets in, since that may take a while, and one takes them out.

    Args:
        queue: is not closed.
        spawn: starts the workers.
    """

    def __init__(self, queue: Queue[Any], spawn: Spawn) -> None:
        self._queue = queue
        self._spawn = spawn
        self._engine = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._table: dict[int, _Entry] = {}
        self._tickets = itertools.count(1)
        self._outgoing: SimpleQueue[int | None] = SimpleQueue()
        self._stopping = threading.Event()
        self._threads: tuple[threading.Thread, ...] = ()

    def __call__(self, allocator: Mailbox) -> WorkerHandle:
        with self._lock:
            if not self._threads:
                self._threads = (
                    threading.Thread(target=self._put_in, name="fluxor-queue-in", daemon=True),
                    threading.Thread(target=self._take_out, name="fluxor-queue-out", daemon=True),
                )
                for thread in self._threads:
                    thread.start()
        return _Carried(self, self._spawn, allocator)

    def send(self, carried: _Carried, assignment: Assignment) -> None:
        """Let an assignment travel to a worker."""
        with self._lock:
            carried.ticket = ticket = next(self._tickets)
            self._table[ticket] = _Entry(carried, assignment)
        self._outgoing.put(ticket)

    def take_back(self, carried: _Carried) -> Assignment | None:
        """The worker's assignment, if it has not arrived; it will not then."""
        with self._lock:
            entry = self._table.get(carried.ticket)
            if entry is None or entry.message is not None:
                return None
            del self._table[carried.ticket]
            return entry.assignment

    def settle(self, carried: _Carried, error: str | None = None) -> None:
        """The worker's assignment is over, and its outcome was told."""
        with self._lock:
            entry = self._table.pop(carried.ticket, None)
        if entry is not None and entry.message is not None:
            self._settle(entry.message, error)

    def stop(self, timeout: float) -> None:
        """End the threads. Called when all workers have stopped, or are left behind."""
        self._stopping.set()
        self._outgoing.put(None)
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            left = list(self._table.values())
            self._table.clear()
        for entry in left:
            if entry.message is not None:
                self._settle(entry.message, None)

    # Going in ------------------------------------------------------------------------------------------------------------

    def _put_in(self) -> None:
        while (ticket := self._outgoing.get()) is not None:
            delay = 0.05
            while (entry := self._table.get(ticket)) is not None and not self._publish(ticket, entry.assignment):
                if self._stopping.wait(delay):
                    return
                delay = min(delay * 2, _LONGEST)
        # The one that takes out waits at the queue: this wakes it.
        self._try_publish({"engine": self._engine, "end": True}, f"{self._engine}/end")

    def _publish(self, ticket: int, assignment: Assignment) -> bool:
        item = {
            "engine": self._engine,
            "ticket": ticket,
            "process": assignment.process_id,
            "run": assignment.run,
            "attempt": assignment.attempt,
            "service": assignment.service,
            "method": assignment.method,
        }
        return self._try_publish(item, f"{self._engine}/{ticket}")

    def _try_publish(self, item: dict[str, Any], message_id: str) -> bool:
        try:
            self._queue.publish(item, id=message_id)
        except Exception as error:  # the queue is the host's, and may raise anything
            _logger.warning("the engine's queue takes nothing: %s", error)
            return False
        return True

    # Coming out ----------------------------------------------------------------------------------------------------------

    def _take_out(self) -> None:
        delay = 0.05
        while not self._stopping.is_set():
            try:
                message = self._queue.consume(timeout=_GLANCE)
            except Exception as error:  # the queue is the host's, and may raise anything
                _logger.warning("the engine's queue gives nothing: %s", error)
                self._stopping.wait(delay)
                delay = min(delay * 2, _LONGEST)
                continue
            delay = 0.05
            if message is None:
                self._send_again()
            else:
                self._arrive(message)

    def _arrive(self, message: Message[Any]) -> None:
        try:
            item = message.payload
            ticket = item["ticket"] if item["engine"] == self._engine else None
        except Exception:  # whatever somebody has put there
            ticket = None
        with self._lock:
            entry = self._table.get(ticket) if isinstance(ticket, int) else None
            first = entry is not None and entry.message is None
            if entry is not None:
                # A second one comes when the queue has given up the first: this is the one that counts there now.
                entry.message = message
        if entry is None:
            self._settle(message, None)
        elif first:
            try:
                entry.carried.worker.tell(entry.assignment)
            except ActorDeadError:
                try:
                    entry.carried.report(WorkerLost(entry.carried, entry.assignment))
                except ActorDeadError:
                    _logger.debug("the engine has stopped before ticket %s", ticket)

    def _send_again(self) -> None:
        """Nothing is in the queue: what has been in it for long is lost."""
        now = time.monotonic()
        with self._lock:
            lost = [
                (ticket, entry)
                for ticket, entry in self._table.items()
                if not entry.message and now - entry.sent > _LOST
            ]
        for ticket, entry in lost:
            entry.sent = now
            self._outgoing.put(ticket)

    def _settle(self, message: Message[Any], error: str | None) -> None:
        try:
            if error is None:
                message.ack()
            else:
                message.nack(error)
        except Exception as trouble:  # it comes again, and is dropped then
            _logger.warning("the engine's queue could not settle %r: %s", message, trouble)
