"""An engine among others on a store that outlives them: its lease, the processes it takes over, and what other programs want."""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
from collections.abc import Callable
from typing import Any

from fluxor_actors.actors.dispatcher import SteppingDispatcher
from fluxor_actors.actors.health import Health
from fluxor_actors.actors.lean import ActorDeadError, Timeout
from fluxor_actors.actors.messages import Adopt, Leave, Mailbox, Remote, Rest
from fluxor_actors.actors.parts import Parts
from fluxor_actors.engine.orders import answer_of, order_of, read_order, refusal_of
from fluxor_actors.engine.sending import send
from fluxor_actors.errors import FluxorError, StoreError, StoreUnavailableError
from fluxor_actors.faults import Faults
from fluxor_actors.process.commands import Command
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage.durable import Command as Order
from fluxor_actors.storage.durable import DurableStore, EngineIdentity

__all__ = ["Tenancy"]

_logger = logging.getLogger(__name__)

_CLAIMED_AT_ONCE = 500
_CLAIM_EVERY = 2.0
_ANSWER_WITHIN = 5.0
_IDLE = 1.0  # seconds, before a process is left to the store


class Tenancy:
    """Keeps one engine's place on a durable store, on a thread of its own that sleeps until something changes there.

    Args:
        store: where.
        identity: who.
        lease: seconds after which others take over what this engine has not said it still holds.
        reach: finds the supervisor of a process.
        lost: called once, when others have declared this engine dead.
        news: called when something has changed on the store.
        parts: the engine's: processes with nothing under way are left to the store.
        take_over: whether to go on with what nobody holds; else only with what this engine has begun, or is told to by `take_over`.
    """

    def __init__(
        self,
        store: DurableStore,
        identity: EngineIdentity,
        lease: float,
        reach: Callable[[str], Any],
        lost: Callable[[], None],
        news: Callable[[], None],
        parts: Parts,
        *,
        faults: Faults | None = None,
        take_over: bool = True,
        health: Health | None = None,
    ) -> None:
        self.store = store
        self.engine = identity.id
        self._identity = identity
        self._lease = lease
        self._reach = reach
        self._lost = lost
        self._news = news
        self._parts = parts
        self._faults = faults
        self._own = not take_over
        self._health = health
        # Whoever has put a command there may have typed a secret.
        self.scrub: Callable[[Command], Command] = lambda command: command
        # What processes were told and have not answered in time.
        self._unanswered: list[tuple[Order, Any]] = []
        self._obeying = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._guardian: Mailbox | None = None
        self._renewed = 0.0
        self._claimed = 0.0
        self._looking = False

    def register(self) -> None:
        """Become an engine of the store.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        self.store.register_engine(self._identity, self._lease)
        self._renewed = self._parts.ticks()

    def start(self, guardian: Mailbox) -> None:
        """Take over what nobody holds, and stay."""
        self._guardian = guardian
        with contextlib.suppress(StoreUnavailableError):  # it is tried again
            self._claim()
        if isinstance(self._parts.dispatcher, SteppingDispatcher):
            self._parts.dispatcher.attend(self)
            return
        self._thread = threading.Thread(target=self._stay, name="fluxor-tenancy", daemon=True)
        self._thread.start()

    def due(self) -> float | None:
        """Where there is no thread: when a process is to be woken, or left to the store. What recurs for ever is done along with that."""
        if self._looking or self._closing.is_set():
            return None
        instants = [since + _IDLE for since in (self._parts.idle or {}).values()]
        due = self.store.next_due(self.engine, own=self._own)
        return min(instants if due is None else [*instants, due], default=None)

    def fire_due(self) -> int:
        """Look after the store, if there is anything to be done."""
        if not self._looking and not self._closing.is_set() and self._parts.ticks() >= self._renewed + self._lease / 3:
            self.store.renew(self.engine)
            self._renewed = self._parts.ticks()
        due = self.due()
        if due is None or due > self._parts.clock.time():
            return 0
        # Whoever waits for an answer in here gives turns meanwhile.
        self._looking = True
        try:
            self._look()
        finally:
            self._looking = False
        return 1

    def alive(self) -> bool:
        """Whether the store knows the engine; taken for granted while it cannot be asked."""
        try:
            return self.store.renew(self.engine)
        except StoreError:
            return True

    def stop(self) -> None:
        """Give the place up: others may take over at once. What is under way ends soon."""
        self._closing.set()
        try:
            self.store.release(self.engine)
        except FluxorError:
            _logger.warning("the lease could not be given up; others take over when it ends")

    def join(self, timeout: float) -> None:
        """Wait for the thread's end."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _stay(self) -> None:
        known = -1
        delay = 0.1
        while not self._closing.is_set():
            try:
                known = self.store.wait_for_change(known, self._patience())
                if self._closing.is_set():
                    return
                if not self._look():
                    return
                delay = 0.1
                if self._health is not None:
                    self._health.back("tenancy")
            except StoreUnavailableError as error:
                if self._health is not None:
                    self._health.lost("tenancy", error)
                if self._closing.wait(delay):
                    return
                delay = min(delay * 2, 5.0)
            except Exception:  # one look that goes wrong is no reason to give up the place
                if self._closing.is_set():
                    return
                _logger.exception("looking after the store went wrong")
                if self._closing.wait(delay):
                    return
                delay = min(delay * 2, 5.0)

    def _patience(self) -> float:
        now = self._parts.ticks()
        due = self.store.next_due(self.engine, own=self._own)
        until = min(self._renewed + self._lease / 3, self._claimed + _CLAIM_EVERY)
        since = next(iter(tuple((self._parts.idle or {}).values())), None)
        if since is not None:
            until = min(until, since + _IDLE)
        wait = until - now
        if due is not None:
            wait = min(wait, due - self._parts.clock.time())
        return max(0.0, wait)

    def _look(self) -> bool:
        """Renew, claim, obey. False when the place is lost."""
        now = self._parts.ticks()
        if now >= self._renewed + self._lease / 3:
            if not self.store.renew(self.engine):
                _logger.error("this engine was declared dead by others, and stops")
                self._lost()
                return False
            self._renewed = self._parts.ticks()
        if now >= self._claimed + _CLAIM_EVERY:
            self._claim()
        self._obey_all()
        self._news()
        # Looked for without a lock first: mostly nothing is due.
        due = self.store.next_due(self.engine, own=self._own)
        if due is not None and due <= self._parts.clock.time():
            self._adopt(self.store.due(self.engine, self._parts.clock.time(), _CLAIMED_AT_ONCE, own=self._own))
        self._park()
        return True

    def _park(self) -> None:
        """Leave to the store what has had nothing under way for a while."""
        idle = self._parts.idle or {}
        before = self._parts.ticks() - _IDLE
        ready = [process_id for process_id, since in tuple(idle.items()) if since <= before][:_CLAIMED_AT_ONCE]
        asked = []
        for process_id in ready:
            idle.pop(process_id, None)
            supervisor = self._parts.directory.supervisors.get(process_id)
            if supervisor is not None:
                asked.append((supervisor, supervisor.ask(Rest(), block=False)))
        parked = {}
        for supervisor, future in asked:
            try:
                answer = future.get(timeout=_ANSWER_WITHIN)
            except Exception as error:  # it has died, or waits for the store: then it does not rest
                _logger.debug("a process stays: %s", error)
                continue
            if answer is not None:
                parked[answer.process_id] = (supervisor, answer)
        if not parked:
            return
        for process_id in self.store.park(self.engine, [answer for _, answer in parked.values()]):
            supervisor, answer = parked[process_id]
            with contextlib.suppress(ActorDeadError):
                supervisor.tell(Leave(answer.sequence))

    def _claim(self) -> None:
        self._claimed = self._parts.ticks()
        if self._own:
            return
        self._at("takeover.before")
        while claimed := self.store.claim(self.engine, _CLAIMED_AT_ONCE):
            self._at("takeover.after")
            self._adopt(claimed)

    def _at(self, point: str) -> None:
        if self._faults is not None:
            self._faults(point)

    def _adopt(self, process_ids: list[str]) -> None:
        assert self._guardian is not None
        self._guardian.tell(Adopt(tuple(process_ids)))

    # Commands ----------------------------------------------------------------------------------------------------------

    def _obey_all(self) -> None:
        """Apply what other programs want; the answers are committed with the effects."""
        with self._obeying:
            orders = self.store.take_commands(self.engine, _CLAIMED_AT_ONCE, own=self._own)
            # All are asked before one is waited for, so that they are committed together.
            asked = [*self._unanswered, *((order, self._ask(order)) for order in orders)]
            until = self._parts.ticks() + _ANSWER_WITHIN
            self._unanswered = [
                (order, future)
                for order, future in asked
                if not self._answered(order, future, until - self._parts.ticks())
            ]

    def _ask(self, order: Order) -> Any:
        """What will be the answer, or the error that it is."""
        try:
            command = self.scrub(read_order(order.name, order.payload))
            return self._reach(order.process_id).ask(Remote(order.id, command), block=False)
        except Exception as error:  # whoever asked is to know
            return error

    def _answered(self, order: Order, future: Any, patience: float) -> bool:
        """Whether the command is answered. If it is not, its process has not committed what follows from it yet."""
        for _ in range(3):
            if isinstance(future, Exception) and not isinstance(future, StoreUnavailableError):
                self.store.answer_command(order.id, refusal_of(future))
                return True
            if isinstance(future, Exception):
                future = self._ask(order)
                continue
            try:
                state, answered = future.get(timeout=max(0.0, patience))
            except Timeout:
                return False
            except ActorDeadError:
                # The process has come to rest just now, or its supervisor is being replaced.
                future = self._ask(order)
            except StoreUnavailableError:
                return False
            except Exception as error:  # whoever asked is to know
                self.store.answer_command(order.id, refusal_of(error))
                return True
            else:
                if not answered:
                    self.store.answer_command(order.id, answer_of(state))
                return True
        return False

    def post(self, process_id: str, command: Command) -> None:
        """Leave a command for whoever runs the process, and do not wait for an answer."""
        name, payload = order_of(command)
        self.store.put_command(Order(uuid.uuid4().hex, process_id, name, payload, self._parts.clock.time()))

    def holds(self, process_id: str) -> bool:
        """Whether the process is, or now becomes, this engine's."""
        owner = self.store.owner_of(process_id)
        return owner == self.engine or (owner is None and self.store.acquire(self.engine, process_id))

    def take_over(self, process_id: str) -> bool:
        """Go on with a process and its sub-workflows, and obey what was left for them. False: a living engine holds it."""
        if not self.holds(process_id):
            return False
        family = [process_id]
        for parent in family:
            below = self.store.headers(parent_id=parent)
            family += [each.id for each in below if not each.state.final and self.holds(each.id)]
        headers = (self.store.header(each) for each in family)
        self._adopt([header.id for header in headers if header is not None and not header.state.final])
        self._obey_all()
        return True

    def send(self, process_id: str, command: Command) -> ProcessState:
        """Have another engine apply a command to its process.

        Raises:
            TimeoutError: it has not answered within 5 seconds; the command stays recorded.
            InvalidStateError: it is not possible.
        """
        state = send(self.store, process_id, command, _ANSWER_WITHIN)
        if state is None:
            raise TimeoutError(
                f"the engine that runs process {process_id} has not answered; the command stays recorded"
            )
        return state
