"""Who gives dispatched actors their turns: a few threads, or a test that picks the next one itself.

Example:
    >>> class Greeter:
    ...     def run(self) -> None:
    ...         print("hello")
    ...     def drop(self) -> None:
    ...         print("too late")
    >>> dispatcher = SteppingDispatcher()
    >>> dispatcher.submit(Greeter())
    >>> dispatcher.run_until_idle()
    hello
    1
    >>> dispatcher.shutdown()
    True
    >>> dispatcher.submit(Greeter())
    too late
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Protocol

__all__ = ["Alarm", "Dispatcher", "Runnable", "SteppingDispatcher", "ThreadPoolDispatcher"]

_logger = logging.getLogger(__name__)


class Runnable(Protocol):
    """What can be given a turn. One of the two is called, once, for each time it is submitted; neither may raise."""

    def run(self) -> None:
        """Use the turn: do a bounded amount of work, and submit yourself again if there is more."""
        ...

    def drop(self) -> None:
        """There will be no turn, the dispatcher is shut down. May come on the thread that submitted."""
        ...


class Alarm(Protocol):
    """What has to be called when its time has come, where no thread waits for that: a timer, for example."""

    def due(self) -> float | None:
        """The instant, in seconds since the epoch, of the next call that is wanted; None: none is."""
        ...

    def fire_due(self) -> int:
        """Do what is due by now. Returns how much that was."""
        ...


class Dispatcher(Protocol):
    """Gives turns to whoever asks for one. Safe between threads."""

    def submit(self, runnable: Runnable) -> None:
        """Give ``runnable`` one turn, later and on another stack, or drop it if the dispatcher is shut down."""
        ...

    def lend(self, send: Callable[[], None], turns: int = 8) -> None:
        """Call ``send``, and use the calling thread for up to ``turns`` turns of the actors that it told, if that is of use."""
        ...

    def shutdown(self, timeout: float | None = None) -> bool:
        """Give what is submitted its turn, then end; drop what comes later. Safe to call twice and from any thread.

        Args:
            timeout: seconds to wait for turns under way; None waits as long as it takes.

        Returns:
            Whether every thread has ended.
        """
        ...


class ThreadPoolDispatcher:
    """One or a few daemon threads that take turns from one queue. They start with the first submission and never poll.

    One is enough while no actor blocks: more of them only contend for the interpreter.

    Nothing here takes a lock on the way of a submission, so that a finalizer that the garbage collector runs in the middle
    of one may submit, or shut down, too.
    """

    def __init__(self, threads: int = 1, name: str = "fluxor-dispatcher") -> None:
        if threads < 1:
            raise ValueError(f"threads is {threads}; a dispatcher needs at least 1")
        self.threads = threads
        self._name = name
        # None is the mark that ends a thread. A thread that takes it puts it back for the next.
        self._queue: SimpleQueue[Runnable | None] = SimpleQueue()
        self._closed = False
        self._ended = False
        self._started = False
        self._starting = threading.RLock()
        self._threads: list[threading.Thread] = []
        # What a thread that has lent itself submits: it stands here until that thread comes to it.
        self._lent = threading.local()

    def submit(self, runnable: Runnable) -> None:
        lent = getattr(self._lent, "waiting", None)
        if lent is not None:
            lent.append(runnable)
        else:
            self._enqueue(runnable)

    def lend(self, send: Callable[[], None], turns: int = 8) -> None:
        """Call ``send``, then give the actors that it told their turns on this very thread, up to ``turns``; the rest go the ordinary way.

        For a thread that has told actors something and has nothing to do until they have acted on it: it would sleep while
        another one wakes, and waking a thread costs more than the turn.
        """
        lent = self._lent
        waiting: deque[Runnable] = deque()
        lent.waiting = waiting
        try:
            send()
            # A thread that comes back after the shutdown, from an action that was left behind, works no more.
            while waiting and turns and not self._closed:
                turns -= 1
                waiting.popleft().run()
        finally:
            lent.waiting = None
            for runnable in waiting:
                self._enqueue(runnable)

    def _enqueue(self, runnable: Runnable) -> None:
        if self._closed:
            runnable.drop()
            return
        self._queue.put(runnable)
        if not self._started:
            self._start()
        # Shut down between the check and the put: it stands behind the mark, where nobody comes any more.
        if self._ended:
            self._sweep()

    def shutdown(self, timeout: float | None = None) -> bool:
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._starting:
            self._closed = True
            threads = self._threads
            self._queue.put(None)
        me = threading.current_thread()
        for thread in threads:
            if thread is not me:
                thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        self._ended = True
        self._sweep()
        return not any(thread.is_alive() for thread in threads)

    def _start(self) -> None:
        with self._starting:
            if self._started or self._closed:
                return
            for number in range(1, self.threads + 1):
                thread = threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    if not self._threads:
                        raise
                    _logger.warning("the system has no thread to give: %s has %d", self._name, len(self._threads))
                    break
                self._threads.append(thread)
            self._started = True

    def _work(self) -> None:
        get = self._queue.get
        runnable: Runnable | None = None
        while True:
            try:
                runnable = get()
                if runnable is None:
                    self._queue.put(None)
                    return
                runnable.run()
            except BaseException:  # a thread of the pool must outlive whatever a turn does
                _logger.exception("a turn of %r raised", runnable)
            # Or an idle thread would keep the last actor alive.
            runnable = None

    def _sweep(self) -> None:
        marked = False
        while True:
            try:
                runnable = self._queue.get_nowait()
            except Empty:
                break
            if runnable is None:
                marked = True
            else:
                runnable.drop()
        if marked:
            self._queue.put(None)


def _first(_count: int) -> int:
    return 0


class SteppingDispatcher:
    """No threads: whoever calls `step` or `run_until_idle` does the work, in an order of their choice.

    With a seeded choice a whole engine runs the same way every time: all of it takes turns here, and whoever waits for an answer gives turns
    meanwhile (`help`).

    Args:
        choose: given how many wait (at least 1), the index of the one to run; the default takes them in order.
    """

    threads = 0

    def __init__(self, choose: Callable[[int], int] = _first) -> None:
        self._choose = choose
        self._waiting: list[Runnable] = []
        self._closed = False
        self.alarms: list[Alarm] = []

    def submit(self, runnable: Runnable) -> None:
        if self._closed:
            runnable.drop()
        else:
            self._waiting.append(runnable)

    def lend(self, send: Callable[[], None], turns: int = 8) -> None:
        """Call ``send``: the turns are for whoever steps."""
        del turns
        send()

    def attend(self, alarm: Alarm) -> None:
        """Have an alarm fire when its time comes. Here that is left to whoever moves the clock: see `alarms`."""
        self.alarms.append(alarm)

    def help(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Give turns until ``done`` says so, as the one who waits for it would find nobody else who did. Whether it is done.

        Args:
            done: looked at before every turn.
            timeout: seconds, for dispatchers that let time pass. Here none does: False is said when nobody waits for a turn.
        """
        del timeout
        while not done():
            if not self.step():
                return False
        return True

    def step(self) -> bool:
        """Give one turn. False when nobody waits for one."""
        if not self._waiting:
            return False
        self._waiting.pop(self._choose(len(self._waiting))).run()
        return True

    def run_until_idle(self, limit: int | None = None) -> int:
        """Give turns until nobody waits for one, but no more than ``limit``. Returns how many were given."""
        turns = 0
        while (limit is None or turns < limit) and self.step():
            turns += 1
        return turns

    def shutdown(self, timeout: float | None = None) -> bool:
        """As for `Dispatcher`; what is submitted gets one turn here."""
        del timeout
        if not self._closed:
            for _ in range(len(self._waiting)):
                self.step()
            self._closed = True
        while self._waiting:
            self._waiting.pop().drop()
        return True
