"""Who decides by themselves: a function of the application, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Any

from fluxor_actors.approval import Decision, Request
from fluxor_actors.errors import (
    AlreadyDecidedError,
    EngineStoppedError,
    FluxorError,
    InvalidStateError,
    NotFoundError,
    StoreUnavailableError,
)

__all__ = ["Decider", "Judge", "Verdict"]

_logger = logging.getLogger(__name__)

Verdict = Decision | bool | tuple[bool, str] | None
"""What a decider says: yes or no, with or without a reason; a whole decision; or None: it leaves the request to others."""

Judge = Callable[[Request], Verdict]

_AGAIN = object()
_MOST_KNOWN = 100_000


class Decider:
    """Asks a function once about every request: those that are pending, then those that come. Call it to stop: once, twice, from any thread.

    What the function does is its own affair: while it blocks, its requests wait for it or for somebody else; if it raises, that is logged and
    the request is left to others.

    Args:
        judge: the function.
        pending: gives the requests that are pending.
        decide: carries a verdict out.
        left: called once, when it is told to stop.
    """

    def __init__(
        self,
        judge: Judge,
        pending: Callable[[], Iterable[Request]],
        decide: Callable[[Request, Decision | tuple[bool, str]], object],
        left: Callable[[Decider], object],
    ) -> None:
        self._judge = judge
        self._pending = pending
        self._decide = decide
        self._left = left
        self._inbox: SimpleQueue[Any] = SimpleQueue()
        self._stopped = threading.Event()
        # Those that it was asked about, the latest last: a request may be both listed and offered, and offered by several.
        self._known: OrderedDict[str, None] = OrderedDict()
        self._thread = threading.Thread(target=self._run, name="fluxor-decider", daemon=True)

    def start(self) -> None:
        """Begin with what is pending."""
        self._inbox.put(_AGAIN)
        self._thread.start()

    def offer(self, request: Request) -> None:
        """Take a new request."""
        self._inbox.put(request)

    def look_again(self) -> None:
        """There may be requests that nobody has offered."""
        self._inbox.put(_AGAIN)

    def __call__(self) -> None:
        self._stopped.set()
        self._inbox.put(None)
        self._left(self)

    def join(self, timeout: float) -> bool:
        """Wait for the thread's end, after a stop. False when it has not ended in time, or is the one that asks."""
        if self._thread is threading.current_thread():
            return False
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (item := self._inbox.get()) is not None and not self._stopped.is_set():
            try:
                if item is _AGAIN:
                    self._look()
                else:
                    self._take(item)
            except EngineStoppedError:
                continue  # another engine may use the service
            except Exception:  # what goes wrong with one request costs the others nothing
                _logger.exception("an approval request could not be decided")
            # Or an idle thread would keep the last request alive.
            item = None

    def _look(self) -> None:
        for request in self._patiently(lambda: list(self._pending())) or []:
            if self._stopped.is_set():
                return
            self._take(request)

    def _take(self, request: Request) -> None:
        if request.id in self._known:
            return
        self._known[request.id] = None
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        self._consider(request)

    def _consider(self, request: Request) -> None:
        try:
            verdict = self._judge(request)
            settled = _settled(verdict)
        except BaseException:  # the function is the application's; what it raises ends nothing
            _logger.exception("a decider raised at approval request %s, which is left to others", request.id)
            return
        if settled is None or self._stopped.is_set():
            return
        try:
            self._patiently(lambda: self._decide(request, settled))
        except (AlreadyDecidedError, InvalidStateError, NotFoundError):
            return  # somebody was quicker, or nobody waits for it any more
        except EngineStoppedError:
            raise
        except (FluxorError, TimeoutError) as error:
            _logger.warning("approval request %s is left to others: %s", request.id, error)

    def _patiently(self, work: Callable[[], Any]) -> Any:
        """Do it when the store is there. None when this is stopped before."""
        delay = 0.05
        while True:
            try:
                return work()
            except StoreUnavailableError:
                if self._stopped.wait(delay):
                    return None
                delay = min(delay * 2, 2.0)


def _settled(verdict: Any) -> Decision | tuple[bool, str] | None:
    if verdict is None or isinstance(verdict, Decision):
        return verdict
    if isinstance(verdict, bool):
        return verdict, ""
    if (
        isinstance(verdict, tuple)
        and len(verdict) == 2
        and isinstance(verdict[0], bool)
        and isinstance(verdict[1], str)
    ):
        return verdict[0], verdict[1]
    raise TypeError(f"a decider answered {verdict!r:.100}; expected a bool, a bool and a reason, a Decision, or None")
