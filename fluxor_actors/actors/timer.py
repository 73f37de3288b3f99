"""The timer: brings a message to a process at an instant.

Example:
    >>> from fluxor_actors.clock import ManualClock
    >>> from fluxor_actors.process.commands import TimerKind
    >>> clock = ManualClock(100.0)
    >>> timer = Timer(clock, lambda process_id, command: print(process_id, command.run, command.due), threaded=False)
    >>> timer.tell(SetTimer("p1", "wait", TimerKind.DELAY, due=160.0))
    >>> timer.due()
    160.0
    >>> clock.advance(60)
    >>> timer.fire_due()
    p1 wait 160.0
    1
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading

from fluxor_actors.actors.messages import CancelTimer, Deliver, SetTimer
from fluxor_actors.clock import Clock
from fluxor_actors.process.commands import FireTimer, TimerKind

__all__ = ["Timer"]

_logger = logging.getLogger(__name__)

_Key = tuple[str, str, TimerKind]


class Timer:
    """One thread for all timers. It starts with the first, and sleeps until one is due; without timers nothing wakes it.

    Setting a timer of the same process, run and kind again replaces it. One that is cancelled while it is being delivered arrives
    all the same: who gets a `FireTimer` compares its ``due`` with what was set last.

    Args:
        clock: whose time it goes by.
        deliver: called on the timer's thread, outside its lock; what it raises is logged.
        name: of the thread.
        threaded: False starts no thread; call `fire_due` when the time is `due`.

    Attributes:
        deliver: as above; a simulation puts another in its place.
    """

    def __init__(self, clock: Clock, deliver: Deliver, *, name: str = "fluxor-timer", threaded: bool = True) -> None:
        self._clock = clock
        self.deliver = deliver
        self._name = name
        self._threaded = threaded
        self._condition = threading.Condition()
        # What is cancelled or replaced stays in the heap until its time, or until there is more of it than of the others.
        self._heap: list[tuple[float, int, _Key]] = []
        self._armed: dict[_Key, int] = {}
        self._numbers = itertools.count()
        # The instant until which the thread sleeps; None when only a message can wake it.
        self._sleeps_until: float | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def tell(self, message: SetTimer | CancelTimer) -> None:
        """Set or cancel a timer. Quick, from any thread; after `shutdown` nothing happens."""
        key = (message.process_id, message.run, message.kind)
        with self._condition:
            if self._closed:
                return
            if isinstance(message, CancelTimer):
                if self._armed.pop(key, None) is not None:
                    self._compact()
                return
            number = next(self._numbers)
            self._armed[key] = number
            heapq.heappush(self._heap, (message.due, number, key))
            self._compact()
            if not self._threaded:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            elif self._sleeps_until is None or message.due < self._sleeps_until:
                self._condition.notify()

    def due(self) -> float | None:
        """The instant of the next timer; None when there is none."""
        with self._condition:
            self._drop_dead()
            return self._heap[0][0] if self._heap else None

    def fire_due(self) -> int:
        """Deliver what is due on the calling thread, in the order of the instants. Returns how many there were."""
        with self._condition:
            ready = self._take_due(self._clock.time())
        self._fire(ready)
        return len(ready)

    def __len__(self) -> int:
        """How many timers are set."""
        return len(self._armed)

    def armed(self) -> tuple[tuple[str, str, TimerKind], ...]:
        """Which timers are set: of which process, run and kind."""
        with self._condition:
            return tuple(self._armed)

    def shutdown(self, timeout: float | None = None) -> bool:
        """Forget all timers and end the thread. Safe to call twice and from any thread, its own too.

        Args:
            timeout: seconds to wait for a delivery under way.

        Returns:
            Whether the thread has ended.
        """
        with self._condition:
            self._closed = True
            self._heap.clear()
            self._armed.clear()
            self._condition.notify_all()
            thread = self._thread
        if thread is None:
            return True
        if thread is threading.current_thread():
            return False
        thread.join(timeout)
        return not thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._condition:
                ready = self._take_due(self._clock.time())
                if not ready:
                    if self._closed:
                        return
                    self._sleeps_until = self._heap[0][0] if self._heap else None
                    self._clock.wait(self._condition, self._sleeps_until)
            self._fire(ready)

    def _fire(self, ready: list[tuple[float, int, _Key]]) -> None:
        for due, _, (process_id, run, kind) in ready:
            try:
                self.deliver(process_id, FireTimer(run, kind, due))
            except BaseException:  # one process that cannot be reached must not cost the others their timers
                _logger.exception(
                    "could not deliver a timer (%s) of %s to process %s", kind, run, process_id,
                    extra={"process_id": process_id, "execution_id": f"{process_id}/{run}"},
                )  # fmt: skip

    def _take_due(self, now: float) -> list[tuple[float, int, _Key]]:
        ready = []
        while self._heap and self._heap[0][0] <= now:
            entry = heapq.heappop(self._heap)
            if self._armed.get(entry[2]) == entry[1]:
                del self._armed[entry[2]]
                ready.append(entry)
        return ready

    def _drop_dead(self) -> None:
        while self._heap and self._armed.get(self._heap[0][2]) != self._heap[0][1]:
            heapq.heappop(self._heap)

    def _compact(self) -> None:
        if len(self._heap) > 2 * len(self._armed) + 64:
            self._heap = [entry for entry in self._heap if self._armed.get(entry[2]) == entry[1]]
            heapq.heapify(self._heap)
