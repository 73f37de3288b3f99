"""The journal: commits what supervisors have decided. One group commit for all who wait."""

from __future__ import annotations

import logging
import threading
from queue import Empty
from typing import Any, Protocol

from attrs import frozen
from pykka import ActorDeadError, Timeout

from fluxor_actors.actors.dispatched import UnregisteredThreadingActor
from fluxor_actors.actors.dispatcher import Dispatcher
from fluxor_actors.actors.health import Health
from fluxor_actors.actors.lean import LeanRef
from fluxor_actors.actors.messages import Mailbox, Write, WriteFailed, Written
from fluxor_actors.actors.mirror import Mirror
from fluxor_actors.errors import StoreUnavailableError
from fluxor_actors.faults import Faults
from fluxor_actors.storage import Append, Store

__all__ = ["ImmediateJournal", "Journal", "JournalActor", "ThreadedJournal"]

_logger = logging.getLogger(__name__)

_MOST = 1_000
_LENT = 2
"""Turns: that of the supervisor whose commit it was, and that of the allocator to which it gives what follows."""


@frozen
class Flush:
    """Asked of the journal: answered when what was written before it is."""


class Journal(Protocol):
    """Commits appends, those of one process in the order in which they come."""

    def write(self, append: Append, supervisor: Mailbox) -> bool:
        """Commit an append.

        Returns:
            True: it is committed. False: the supervisor is told `Written` when it is, or `WriteFailed`.

        Raises:
            StoreError: it is not committed, and will not be.
        """
        ...

    def flush(self, timeout: float) -> bool:
        """Wait until what was written so far is answered. False when that takes longer than ``timeout`` seconds."""
        ...

    def stop(self, timeout: float) -> bool:
        """Commit what was written so far, and end. Whether that is done within ``timeout`` seconds."""
        ...


class ImmediateJournal:
    """For a store that commits at once: no thread, no hop."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(self, append: Append, supervisor: Mailbox) -> bool:
        del supervisor
        self._store.append([append])
        return True

    def flush(self, timeout: float) -> bool:
        del timeout
        return True

    def stop(self, timeout: float) -> bool:
        del timeout
        return True


class JournalActor(UnregisteredThreadingActor):
    """Takes `Write` messages, and commits all that wait together.

    While the store cannot be reached it tries again, less and less often, and nothing is answered: whoever waits for a commit waits
    on. A write that the store refuses costs its own process only.
    """

    thread_name = "fluxor-journal"

    def __init__(
        self,
        store: Store,
        closing: threading.Event,
        faults: Faults | None = None,
        mirror: Mirror | None = None,
        health: Health | None = None,
        dispatcher: Dispatcher | None = None,
    ) -> None:
        super().__init__()
        self._dispatcher = dispatcher
        self._health = health
        self._mirror = mirror
        self._store = store
        self._closing = closing
        self._faults = faults

    def on_receive(self, message: Write | Flush) -> None:
        if isinstance(message, Flush):
            return
        if self._mirror is not None:
            self._mirror.wait_for_room()
        batch = [message]
        items = self.actor_inbox.items
        later: Any = None
        while len(batch) < _MOST:
            try:
                item = items.get_nowait()
            except Empty:
                break
            if type(item) is not Write:
                later = item
                break
            batch.append(item)
        self._commit(batch)
        if later is not None:
            # A flush, or the wish to stop: what was written before it is committed.
            self.open(later)

    def _commit(self, batch: list[Write]) -> None:
        delay = 0.05
        while True:
            try:
                self._append(batch)
            except StoreUnavailableError as error:
                if self._health is not None:
                    self._health.lost("journal", error)
                if self._closing.wait(delay):
                    self._answer(batch, WriteFailed(error))
                    return
                delay = min(delay * 2, 5.0)
            except Exception as error:  # what is wrong with one append is no reason to refuse the others
                if len(batch) == 1:
                    self._answer(batch, WriteFailed(error))
                else:
                    for write in batch:
                        self._commit([write])
                return
            else:
                if self._health is not None:
                    self._health.back("journal")
                if self._dispatcher is not None and len(batch) == 1 and self.actor_inbox.empty():
                    # Nobody else waits for a commit: what follows from this one goes on here, which wakes no other thread.
                    self._dispatcher.lend(lambda: self._answer(batch, Written()), _LENT)
                else:
                    self._answer(batch, Written())
                return

    def _append(self, batch: list[Write]) -> None:
        if self._faults is not None:
            self._faults("commit.before", batch[0].append.process_id)
        self._store.append([write.append for write in batch])
        if self._faults is not None:
            self._faults("commit.after", batch[0].append.process_id)

    def _answer(self, batch: list[Write], message: Written | WriteFailed) -> None:
        for write in batch:
            try:
                write.supervisor.tell(message)
            except ActorDeadError:
                _logger.debug("the supervisor of process %s has stopped", write.append.process_id)


class ThreadedJournal:
    """For a store whose commits take their time: one thread that commits for everybody."""

    def __init__(
        self,
        store: Store,
        faults: Faults | None = None,
        mirror: Mirror | None = None,
        health: Health | None = None,
        dispatcher: Dispatcher | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._health = health
        self._faults = faults
        self._mirror = mirror
        self._closing = threading.Event()
        self._actor: LeanRef[JournalActor] | None = None
        self._store = store
        self._lock = threading.Lock()

    def write(self, append: Append, supervisor: Mailbox) -> bool:
        actor = self._actor
        if actor is None:
            with self._lock:
                actor = self._actor = self._actor or JournalActor.start(
                    self._store, self._closing, self._faults, self._mirror, self._health, self._dispatcher
                )
        actor.tell(Write(append, supervisor))
        return False

    def flush(self, timeout: float) -> bool:
        actor = self._actor
        if actor is None:
            return True
        try:
            actor.ask(Flush(), timeout=timeout)
        except ActorDeadError:
            return True  # it has answered all before it ended
        except Timeout:
            return False
        return True

    def stop(self, timeout: float) -> bool:
        actor = self._actor
        if actor is None:
            return True
        actor.stop(block=False)
        if actor.join(timeout):
            return True
        # The store cannot be reached: what waits for it is not committed, and its supervisors know.
        self._closing.set()
        return actor.join(1.0)
