"""The engine's parts from start to shutdown. Nothing here refers to the façade, so that an engine nobody holds can go."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Literal

from fluxor_actors.actors.allocator import Allocator, drain
from fluxor_actors.actors.guardian import Guardian
from fluxor_actors.actors.lean import ActorDeadError
from fluxor_actors.actors.parts import Parts
from fluxor_actors.actors.worker import Spawn
from fluxor_actors.engine.plans import Plans
from fluxor_actors.engine.reading import Reading
from fluxor_actors.errors import EngineBusyError, EngineStoppedError, FluxorError
from fluxor_actors.ids import Ids
from fluxor_actors.process.snapshot import ProcessOutput
from fluxor_actors.process.states import ProcessState
from fluxor_actors.process.view import output_of

__all__ = ["Lifecycle", "OnBusy"]

_logger = logging.getLogger(__name__)

OnBusy = Literal["block", "raise"]


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
    ) -> None:
        self.parts = parts
        self.plans = plans
        self.ids = ids
        self._spawn = spawn
        self._workers = workers
        self._action_limits = action_limits
        self._max_pending = max_pending
        self._on_busy = on_busy
        self._owns_events = owns_events
        self._places = threading.Semaphore(max_pending)
        self._lock = threading.RLock()
        self._started = False
        self.stopped = False
        self._left: tuple[str, ...] = ()
        self._over = threading.Event()

    def ensure_started(self) -> None:
        """Start what is not started.

        Raises:
            EngineStoppedError: the engine was shut down.
        """
        if self._started and not self.stopped:
            return
        with self._lock:
            self._check_running()
            if self._started:
                return
            parts = self.parts
            parts.allocator = Allocator.start(
                parts.dispatcher, self._spawn, self._workers, self._action_limits, parts.clock.time
            )
            parts.guardian = Guardian.start(parts.dispatcher, parts)
            self._started = True

    def _check_running(self) -> None:
        if self.stopped:
            raise EngineStoppedError("the engine was shut down; make another one")

    def ask_guardian(self, message: Any) -> Any:
        """Ask the guardian, from outside the actors."""
        guardian: Any = self.parts.guardian
        try:
            return guardian.ask(message)
        except ActorDeadError:
            self._check_running()
            raise EngineStoppedError("the engine stopped while it was asked") from None

    def ask_allocator(self, message: Any) -> Any:
        """Ask the allocator, from outside the actors; None when there is none."""
        allocator: Any = self.parts.allocator
        try:
            return allocator.ask(message, timeout=30) if self._started else None
        except ActorDeadError:
            return None

    def admit(self, completion: Future[ProcessOutput]) -> Callable[[], None]:
        """Take one of the ``max_pending`` places, given back when the process has ended. Returns what gives it back at once.

        Raises:
            EngineBusyError: all are taken, and ``on_busy`` is ``raise``.
            EngineStoppedError: the engine was shut down while this waited.
        """
        if not self._places.acquire(blocking=False):
            if self._on_busy == "raise":
                raise EngineBusyError(
                    f"{self._max_pending} processes are unfinished, as many as max_pending allows; try again later"
                )
            while not self._places.acquire(timeout=1.0):
                self._check_running()
        given = threading.Lock()

        def give_back(_future: object = None) -> None:
            if given.acquire(blocking=False):
                self._places.release()

        completion.add_done_callback(give_back)
        return give_back

    def shutdown(self, timeout: float) -> tuple[str, ...]:
        """Stop everything; the second caller waits for the first. Returns the executions whose actions have not returned."""
        with self._lock:
            first = not self.stopped
            self.stopped = True
        if not first:
            self._over.wait(timeout + 5)
            return self._left
        try:
            self._stop(time.monotonic() + timeout)
        finally:
            self._over.set()
        return self._left

    def _stop(self, deadline: float) -> None:
        parts = self.parts
        if self._started:
            allocator: Any = parts.allocator
            self._left = drain(allocator, _left(deadline))
        parts.timer.shutdown(_left(deadline))
        if self._started:
            guardian: Any = parts.guardian
            guardian.stop(block=False)
        if self._owns_events:
            parts.events.shutdown(max(1.0, _left(deadline)))
        parts.dispatcher.shutdown(max(1.0, _left(deadline)))
        parts.directory.forget_waiters(self._unfinished)
        parts.directory.supervisors.clear()
        parts.store.close()
        if self._left:
            _logger.warning("shut down while these had not returned: %s", ", ".join(self._left))

    def _unfinished(self, process_id: str) -> ProcessOutput:
        try:
            return output_of(Reading(self.parts).process(process_id, self.plans.plan_of))
        except FluxorError:
            return ProcessOutput(process_id=process_id, state=ProcessState.PENDING, timed_out=True)


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
