"""The journal of an engine whose dispatcher has no threads: it takes turns with the other actors."""

from __future__ import annotations

import logging
from collections import deque

from attrs import frozen
from pykka import ActorDeadError

from fluxor_actors.actors.dispatched import DispatchedActor
from fluxor_actors.actors.dispatcher import SteppingDispatcher
from fluxor_actors.actors.health import Health
from fluxor_actors.actors.lean import LeanRef
from fluxor_actors.actors.messages import Mailbox, Write, WriteFailed, Written
from fluxor_actors.clock import Clock
from fluxor_actors.errors import StoreUnavailableError
from fluxor_actors.faults import Faults
from fluxor_actors.storage import Append, Store

__all__ = ["DispatchedJournal"]

_logger = logging.getLogger(__name__)

_LONGEST = 5.0


@frozen
class _Again:
    """To itself: it is time to try what could not be written before."""


class _Committing(DispatchedActor):
    """Commits what has come with one turn together. While the store cannot be reached everything waits for the next try."""

    def __init__(self, store: Store, clock: Clock, faults: Faults | None, health: Health | None) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._faults = faults
        self._health = health
        self.waiting: deque[Write] = deque()
        self.again_at: float | None = None
        self._delay = 0.05

    def on_receive(self, message: Write | _Again) -> None:
        if isinstance(message, Write):
            self.waiting.append(message)
        else:
            self.again_at = None

    def on_batch_end(self) -> None:
        """Commit, unless the store is away."""
        if self.again_at is not None or not self.waiting:
            return
        batch = list(self.waiting)
        try:
            self._append(batch)
        except StoreUnavailableError as error:
            self._put_off(error)
            return
        except Exception as error:  # what is wrong with one append is no reason to refuse the others
            if len(batch) == 1:
                self._answer(self.waiting.popleft(), WriteFailed(error))
            else:
                self._one_by_one()
            return
        self._committed(len(batch))

    def _one_by_one(self) -> None:
        while self.waiting:
            try:
                self._append([self.waiting[0]])
            except StoreUnavailableError as error:
                self._put_off(error)
                return
            except Exception as error:  # as above
                self._answer(self.waiting.popleft(), WriteFailed(error))
            else:
                self._committed(1)

    def _append(self, batch: list[Write]) -> None:
        if self._faults is not None:
            self._faults("commit.before", batch[0].append.process_id)
        self._store.append([write.append for write in batch])
        if self._faults is not None:
            self._faults("commit.after", batch[0].append.process_id)

    def _committed(self, count: int) -> None:
        self._delay = 0.05
        if self._health is not None:
            self._health.back("journal")
        for _ in range(count):
            self._answer(self.waiting.popleft(), Written())

    def _put_off(self, error: StoreUnavailableError) -> None:
        if self._health is not None:
            self._health.lost("journal", error)
        self.again_at = self._clock.time() + self._delay
        self._delay = min(self._delay * 2, _LONGEST)

    def _answer(self, write: Write, message: Written | WriteFailed) -> None:
        try:
            write.supervisor.tell(message)
        except ActorDeadError:
            _logger.debug("the supervisor of process %s has stopped", write.append.process_id)


class DispatchedJournal:
    """A `Journal` without a thread, with the store tried again by the dispatcher's time."""

    def __init__(
        self,
        store: Store,
        dispatcher: SteppingDispatcher,
        clock: Clock,
        faults: Faults | None = None,
        health: Health | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._ref: LeanRef[_Committing] = _Committing.start(dispatcher, store, clock, faults, health)
        self._actor = self._ref.actor_inbox.actor
        dispatcher.attend(self)

    @property
    def _committing(self) -> _Committing:
        assert isinstance(self._actor, _Committing)
        return self._actor

    def write(self, append: Append, supervisor: Mailbox) -> bool:
        self._ref.tell(Write(append, supervisor))
        return False

    def due(self) -> float | None:
        """When the store is to be tried again."""
        return self._committing.again_at

    def fire_due(self) -> int:
        """Try the store again, if it is time."""
        at = self.due()
        if at is None or at > self._clock.time():
            return 0
        self._ref.tell(_Again())
        self._committing.again_at = None
        return 1

    def flush(self, timeout: float) -> bool:
        actor = self._committing
        return self._dispatcher.help(lambda: self._ref.actor_inbox.empty() and not actor.waiting, timeout)

    def stop(self, timeout: float) -> bool:
        done = self.flush(timeout)
        self._ref.stop(block=False)
        return done
