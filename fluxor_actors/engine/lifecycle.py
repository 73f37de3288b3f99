"""The engine's parts from start to shutdown. Nothing here refers to the façade, so that an engine nobody holds can go."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from fluxor_actors.actors.allocator import Allocator, drain
from fluxor_actors.actors.dispatcher import SteppingDispatcher
from fluxor_actors.actors.guardian import Guardian
from fluxor_actors.actors.lean import ActorDeadError
from fluxor_actors.actors.messages import Assignment, LookAround, Reach, Wake
from fluxor_actors.actors.parts import Parts
from fluxor_actors.actors.worker import Spawn
from fluxor_actors.engine.attachments import Attachments
from fluxor_actors.engine.places import OnBusy, Places
from fluxor_actors.engine.plans import Plans
from fluxor_actors.engine.reading import Reading
from fluxor_actors.engine.secrecy import Secrets
from fluxor_actors.engine.tenancy import Tenancy
from fluxor_actors.engine.upkeep import Upkeep
from fluxor_actors.errors import EngineStoppedError, FluxorError, StoreUnavailableError
from fluxor_actors.ids import Ids
from fluxor_actors.names import execution_id
from fluxor_actors.process.view import output_of
from fluxor_actors.storage.durable import DurableStore

if TYPE_CHECKING:
    from fluxor_actors.tracing.spans import Spans

__all__ = ["Lifecycle"]

_logger = logging.getLogger(__name__)

T = TypeVar("T")

_GLANCES = 200
_TURNS = 10_000
_DECLARED_DEAD = "others declared this engine dead after its lease had ended, and it has stopped"


class Approvals(Protocol):
    """What the engine has of its approval service."""

    def look(self) -> None:
        """Something has changed on the store."""
        ...

    def close_gate(self) -> None:
        """Nothing more is told of requests."""
        ...

    def stop(self, timeout: float) -> None:
        """Nobody decides anything any more."""
        ...


class Lifecycle:
    """Starts the actors on first use, and ends every thread at shutdown."""

    def __init__(
        self,
        parts: Parts,
        plans: Plans,
        ids: Ids,
        spawn: Spawn,
        workers: int,
        action_limits: dict[str, int],
        max_pending: int,
        on_busy: OnBusy,
        *,
        owns_events: bool = True,
        owns_store: bool = True,
        lease: float = 10.0,
        take_over: bool = True,
        upkeep: Upkeep | None = None,
        secrets: Secrets | None = None,
        spans: Spans | None = None,
    ) -> None:
        self.parts = parts
        self.secrets = secrets
        self.spans = spans
        self.plans = plans
        self.ids = ids
        self._spawn = spawn
        self._workers = workers
        self._action_limits = action_limits
        self._owns_events = owns_events
        self._owns_store = owns_store
        self._lease = lease
        self._take_over = take_over
        self._upkeep = upkeep
        self.tenancy: Tenancy | None = None
        self.attached = Attachments()
        self.approvals: Approvals | None = None
        self.places = Places(max_pending, on_busy)
        self._lock = threading.RLock()
        self._started = False
        self.stopped = False
        self._reason = "the engine was shut down"
        self._halted = threading.Event()
        self._left: tuple[str, ...] = ()
        self._stopping = threading.Lock()
        self._over = False
        self._pid = os.getpid()

    def ensure_started(self) -> None:
        """Start what is not started.

        Raises:
            EngineStoppedError: the engine was shut down.
        """
        if self._started and not self.stopped and os.getpid() == self._pid:
            return
        with self._lock:
            self.check_running()
            if self._started:
                return
            parts = self.parts
            if self.spans is not None:
                self.spans.open()
            shared = callable(getattr(parts.store, "register_engine", None))
            if shared and not parts.store.immediate and self.tenancy is None:
                self.tenancy = parts.elsewhere = self._settle_down(cast(DurableStore, parts.store))
            parts.allocator = Allocator.start(
                parts.dispatcher, self._spawn, self._workers, self._action_limits, parts.clock.time
            )
            parts.guardian = Guardian.start(parts.dispatcher, parts)
            if self.tenancy is not None:
                parts.idle = {}
                self.tenancy.start(parts.guardian)
                if parts.mirror is not None:
                    parts.mirror.catch_up()
            if self._upkeep is not None:
                self._upkeep.start()
            self._started = True

    def _settle_down(self, store: DurableStore) -> Tenancy:
        from fluxor_actors.storage.sql import identify  # is loaded already where the store is one

        def lost() -> None:
            self._reason = _DECLARED_DEAD
            threading.Thread(target=self.shutdown, args=(0.0,), name="fluxor-lost", daemon=True).start()

        def reach(process_id: str) -> Any:
            return self.ask_guardian(Reach(process_id))

        tenancy = Tenancy(
            store, identify(), self._lease, reach, lost, self._hear_of_ends, self.parts, faults=self.parts.faults,
            take_over=self._take_over, health=self.parts.health,
        )  # fmt: skip
        if self.secrets is not None:
            tenancy.scrub = self.secrets.command
        tenancy.register()
        return tenancy

    def patiently(self, work: Callable[[], T]) -> T:
        """Do what needs the store, and wait for it while it is away: for what runs already.

        Raises:
            StoreUnavailableError: the engine stops before the store is back.
        """
        delay = 0.05
        while True:
            try:
                return work()
            except StoreUnavailableError:
                if self._halted_within(delay):
                    raise
                delay = min(delay * 2, 2.0)

    def _halted_within(self, seconds: float) -> bool:
        dispatcher = self.parts.dispatcher
        if isinstance(dispatcher, SteppingDispatcher):
            return dispatcher.help(self._halted.is_set, seconds)
        return self._halted.wait(seconds)

    def _hear_of_ends(self) -> None:
        """Wake whoever waits here for a process that another engine has ended."""
        directory = self.parts.directory
        self.parts.tell_guardian(LookAround())
        self.parts.onlookers.look()
        if self.approvals is not None:
            self.approvals.look()
        absent = directory.elsewhere(_GLANCES)
        for header in cast(DurableStore, self.parts.store).headers_of(absent) if absent else ():
            # One that is here by now tells of its end itself, once it has acted on it.
            if header.state.final and header.id not in directory.supervisors:
                process = Reading(self.parts).process(header.id, self.plans.plan_of)
                directory.ended_elsewhere(output_of(process))

    def check_running(self) -> None:
        """See that the engine can go on.

        Raises:
            EngineStoppedError: it was shut down, or is that of another program.
        """
        if self.stopped:
            raise EngineStoppedError(f"{self._reason}; make another one")
        if os.getpid() != self._pid:
            raise EngineStoppedError("the program was forked, and the engine stayed behind; make another one here")

    def check_alive(self) -> None:
        """After the store has refused a write: see whether it is the engine that it does not know any more.

        Raises:
            EngineStoppedError: others have declared it dead, which it may not have noticed itself yet; or it was shut down.
        """
        self.check_running()
        if self.tenancy is not None and not self.tenancy.alive():
            raise EngineStoppedError(f"{_DECLARED_DEAD}; make another one")

    def ask_guardian(self, message: Any) -> Any:
        """Ask the guardian, from outside the actors."""
        guardian: Any = self.parts.guardian
        try:
            return guardian.ask(message)
        except ActorDeadError:
            self.check_running()
            raise EngineStoppedError("the engine stopped while it was asked") from None

    def wake(self, process_id: str) -> None:
        """Go on with a process that nobody runs."""
        with contextlib.suppress(ActorDeadError):  # it is awake, and comes to its end just now
            self.ask_guardian(Reach(process_id)).tell(Wake())

    def ask_allocator(self, message: Any, timeout: float = 30.0) -> Any:
        """Ask the allocator, from outside the actors; None when there is none."""
        allocator: Any = self.parts.allocator
        try:
            return allocator.ask(message, timeout=timeout) if self._started else None
        except ActorDeadError:
            return None

    # The end ------------------------------------------------------------------------------------------------------------

    def shutdown(self, timeout: float) -> tuple[str, ...]:
        """Stop everything; whoever comes second waits for the first. Returns the executions whose actions have not returned.

        Called from inside an action it only begins: the action is one of those that are waited for.
        """
        self._refuse_more()
        if threading.get_ident() in self.parts.acting:
            threading.Thread(target=self.shutdown, args=(timeout,), name="fluxor-shutdown", daemon=True).start()
            return ()
        # A subscriber, or a DAO, is waited for by whoever stops the engine, and must not wait for them in its turn.
        inside = self.parts.events.inside() or (self.parts.mirror is not None and self.parts.mirror.inside())
        patience = 0.0 if inside else timeout + 5.0
        if not self._stopping.acquire(timeout=patience):
            return self._left
        try:
            if not self._over:
                self._stop(time.monotonic() + timeout)
                self._over = True
        finally:
            self._stopping.release()
        return self._left

    def let_go(self) -> None:
        """Nobody holds the engine any more, or the program ends. May be called anywhere, by the garbage collector too."""
        if os.getpid() != self._pid:
            return  # the threads are those of the process that this one was forked from
        if not threading.main_thread().is_alive():
            self.shutdown(0.0)  # the program ends, and no thread can be started any more
        elif self._started or self.parts.events.started:
            # Locks may be held here that stopping needs; a dispatcher's thread holds none between turns.
            self.parts.dispatcher.submit(_Farewell(self))

    def _refuse_more(self) -> None:
        with self._lock:
            self.stopped = True
        self._halted.set()
        self.places.close()
        self.parts.onlookers.look()

    def _settle(self, deadline: float) -> None:
        """Let the supervisors commit what the last attempts came to, and act on it."""
        if isinstance(self.parts.dispatcher, SteppingDispatcher):
            self.parts.dispatcher.run_until_idle(_TURNS)
            return
        for _ in range(2):
            # As many as there are threads, each of which waits for the others: then no turn of before is under way any more.
            threads = getattr(self.parts.dispatcher, "threads", 1)
            meeting = threading.Barrier(threads)
            barriers = [_Barrier(meeting) for _ in range(threads)]
            for barrier in barriers:
                self.parts.dispatcher.submit(barrier)
            for barrier in barriers:
                barrier.passed.wait(max(0.1, _left(deadline)))
            self.parts.journal.flush(max(0.1, _left(deadline)))

    def _stop(self, deadline: float) -> None:
        parts, mirror = self.parts, self.parts.mirror
        left: tuple[Assignment, ...] = ()
        if mirror is not None:
            mirror.hurry()
        self.attached.detach(deadline)
        if self._started:
            allocator: Any = parts.allocator
            left = drain(allocator, _left(deadline))
            self._left = tuple(execution_id(each.process_id, each.run) for each in left)
            parts.conversations.stop()
            self.attached.close(deadline)
            self._settle(deadline)
        parts.timer.shutdown(_left(deadline))
        if self._started:
            guardian: Any = parts.guardian
            guardian.stop(block=False)
        if self.approvals is not None:
            self.approvals.close_gate()
        if self._owns_events:
            parts.events.shutdown(max(1.0, _left(deadline)))
        parts.dispatcher.shutdown(max(1.0, _left(deadline)))
        parts.journal.stop(max(1.0, _left(deadline)))
        for each in left:
            # Not before: what comes of it is not recorded. And before the store knows that the engine is gone: the next one makes these attempts again.
            each.cancellation.cancel("the engine has shut down")
        if mirror is not None:
            mirror.stop(max(1.0, _left(deadline)))
        if self._upkeep is not None:
            self._upkeep.stop(max(1.0, _left(deadline)))
        if self.approvals is not None:
            self.approvals.stop(max(1.0, _left(deadline)))
        if self.tenancy is not None:
            self.tenancy.stop()
        parts.directory.supervisors.clear()
        if self._owns_store:
            self._answer_who_waits(max(deadline, time.monotonic() + 1.0))
        parts.directory.stop()
        if self.tenancy is not None:
            self.tenancy.join(max(2.5, _left(deadline)))
        if self._owns_store:
            parts.store.close()
        if self.spans is not None:
            self.spans.close()
        if self._left:
            _logger.warning("shut down while these had not returned: %s", ", ".join(self._left))

    def _answer_who_waits(self, deadline: float) -> None:
        """Tell who waits for processes how far these are, as long as the store can be asked."""
        directory, reading = self.parts.directory, Reading(self.parts)
        for process_id in directory.awaited():
            if not _left(deadline):
                return
            try:
                directory.ended_elsewhere(output_of(reading.process(process_id, self.plans.plan_of)))
            except FluxorError as error:
                _logger.debug("nobody can say how far process %s is: %s", process_id, error)
                return


class _Barrier:
    """Set when those who stood in line before it have had their turn."""

    def __init__(self, meeting: threading.Barrier) -> None:
        self.passed = threading.Event()
        self._meeting = meeting

    def run(self) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            self._meeting.wait(1.0)
        self.passed.set()

    def drop(self) -> None:
        self.passed.set()


class _Farewell:
    """Stops an engine that nobody holds, on a thread of its own: a dispatcher's waits for the dispatcher's end."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    def run(self) -> None:
        try:
            threading.Thread(target=self._lifecycle.shutdown, args=(0.0,), name="fluxor-farewell", daemon=True).start()
        except RuntimeError:
            _logger.warning("the system has no thread to give: an engine that nobody holds goes on")

    def drop(self) -> None:
        """It has been stopped."""


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
