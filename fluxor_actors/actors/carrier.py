"""Between allocator and workers: a queue in place of inboxes.

What an assignment refers to, supervisor, cancellation, session, cannot leave the program. It stays in a table, and what goes through the queue is a ticket to it. A ticket
may be lost, then, or come twice: whose it is puts in another one after a while, and knows by its table what has come. So others may drop one that seems to be
nobody's any more, as after an engine was killed: the next one reads in the journal what was under way.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
import uuid
from queue import SimpleQueue
from typing import Any

from attrs import frozen
from pykka import ActorDeadError

from fluxor_actors.actors.messages import Assignment, Mailbox, WorkerIdle, WorkerLost
from fluxor_actors.actors.tickets import Ticket
from fluxor_actors.actors.worker import Spawn, WorkerHandle
from fluxor_actors.messaging import Message, Queue

__all__ = ["Carrier"]

_logger = logging.getLogger(__name__)

_GLANCE = 2.0
"""Seconds after which it is looked whether tickets are missing, or the engine stops though its queue cannot say so."""
_LOST = 10.0
"""Seconds after which a ticket that has not come is put in again; twice as many the next time."""
_OLD = 30.0
"""Seconds after which a ticket of another engine is thought to be nobody's."""
_PAUSE = 0.05
"""Seconds to leave the queue to others when it holds nothing but theirs."""
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
    """An assignment on its way. ``message``: its ticket, once that has come out of the queue. ``again``: when another one is put in."""

    __slots__ = ("again", "assignment", "carried", "message", "patience")

    def __init__(self, carried: _Carried, assignment: Assignment) -> None:
        self.carried = carried
        self.assignment = assignment
        self.message: Message[Any] | None = None
        self.patience = _LOST
        self.again = time.monotonic() + _LOST


@frozen(eq=False)
class _Settled:
    """A ticket that is done with; ``error`` says why it is refused, if it is."""

    message: Message[Any]
    error: str | None = None


class Carrier:
    """A `Spawn` whose workers get their assignments through a queue.

    The queue had best be this engine's alone: one that finds another's ticket puts it back at the end, which costs both.

    The allocator gives out no more than there are workers, so the queue holds no more either. One thread puts tickets in and settles them, since that may take a
    while, and one takes them out.

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
        self._outgoing: SimpleQueue[int | _Settled | None] = SimpleQueue()
        self._stopping = threading.Event()
        self._until = 0.0
        self._others: set[str] = set()
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
            self._outgoing.put(_Settled(entry.message, error))

    def stop(self, timeout: float) -> None:
        """Take out what is this engine's and end the threads. Called when all workers have stopped, or are left behind."""
        self._until = time.monotonic() + timeout
        self._stopping.set()
        with self._lock:
            left = list(self._table.values())
            self._table.clear()
        for entry in left:
            if entry.message is not None:
                self._outgoing.put(_Settled(entry.message))
        self._outgoing.put(None)
        for thread in self._threads:
            thread.join(max(0.0, self._until - time.monotonic()))
            if thread.is_alive():
                _logger.warning("the engine's queue does not answer, and %s is left behind", thread.name)

    # Going in ------------------------------------------------------------------------------------------------------------

    def _put_in(self) -> None:
        while (item := self._outgoing.get()) is not None:
            if isinstance(item, _Settled):
                self._settle(item.message, item.error)
                continue
            delay = 0.05
            while (entry := self._table.get(item)) is not None and not self._publish(item, entry.assignment):
                if self._stopping.wait(delay):
                    break
                delay = min(delay * 2, _LONGEST)
        # The one that takes out waits at the queue: this wakes it.
        self._publish(0)

    def _publish(self, number: int, assignment: Assignment | None = None) -> bool:
        ticket = Ticket(self._engine, number, time.time())
        try:
            self._queue.publish(ticket.write(assignment), id=ticket.id)
        except Exception as error:  # the queue is the host's, and may raise anything
            _logger.warning("the engine's queue takes nothing: %s", error)
            return False
        return True

    # Coming out ----------------------------------------------------------------------------------------------------------

    def _take_out(self) -> None:
        delay = 0.05
        while not self._stopping.is_set() or time.monotonic() < self._until:
            try:
                message = self._queue.consume(timeout=_GLANCE)
            except Exception as error:  # the queue is the host's, and may raise anything
                _logger.warning("the engine's queue gives nothing: %s", error)
                if self._stopping.wait(delay):
                    return
                delay = min(delay * 2, _LONGEST)
                continue
            delay = 0.05
            self._send_again()
            if message is None:
                self._others.clear()
                if self._stopping.is_set():
                    return
            elif self._arrive(message):
                return

    def _arrive(self, message: Message[Any]) -> bool:
        """Deal with what has come out. Whether it is this engine's last."""
        try:
            item = message.payload
            ticket = Ticket.read(item)
        except Exception:  # whatever somebody has put there
            item = ticket = None
        if ticket is None:
            self._settle(message, "it is no ticket of an engine: does something else use the queue?")
        elif ticket.engine != self._engine:
            self._pass_on(message, item, ticket)
        elif ticket.last:
            self._settle(message, None)
            return True
        else:
            self._deliver(message, ticket)
        return False

    def _pass_on(self, message: Message[Any], item: Any, ticket: Ticket) -> None:
        """A ticket of another engine, which waits for it, or is dead."""
        if ticket.last or message.attempts > 1 or abs(time.time() - ticket.sent) > _OLD:
            self._settle(message, None)
            return
        try:
            self._queue.publish(item, id=ticket.id)
        except Exception as error:  # the queue is the host's, and may raise anything
            _logger.warning("the engine's queue takes nothing: %s", error)
            self._settle(message, "another engine's")
            return
        self._settle(message, None)
        if ticket.id in self._others:
            # All that is there has been looked at, and is others'.
            self._others.clear()
            self._stopping.wait(_PAUSE)
        self._others.add(ticket.id)

    def _deliver(self, message: Message[Any], ticket: Ticket) -> None:
        with self._lock:
            entry = self._table.get(ticket.number)
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
                    _logger.debug("the engine has stopped before ticket %s", ticket.number)

    def _send_again(self) -> None:
        """Put in once more what should have come long ago: it is lost, or was taken for a dead engine's."""
        now = time.monotonic()
        with self._lock:
            late = [(number, one) for number, one in self._table.items() if not one.message and now > one.again]
        for number, entry in late:
            entry.patience *= 2
            entry.again = now + entry.patience
            self._outgoing.put(number)

    def _settle(self, message: Message[Any], error: str | None) -> None:
        try:
            if error is None:
                message.ack()
            else:
                message.nack(error)
        except Exception as trouble:  # it comes again, and is dropped then
            _logger.warning("the engine's queue could not settle %r: %s", message, trouble)
