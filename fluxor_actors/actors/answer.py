"""What an ask returns: a future on one bare lock, a third of what one with a condition costs to make, set and read.

Example:
    >>> answer = Answer()
    >>> answer.set(42)
    >>> answer.get()
    42
"""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pykka import Future, Timeout

if TYPE_CHECKING:
    from pykka._types import OptExcInfo

__all__ = ["Answer"]

T = TypeVar("T")


class Answer(Future[T]):
    """Set once, by whoever comes first; read as often as one likes, from any thread.

    Attributes:
        help: gives turns until what it is given says that there is an answer: for who waits where no other thread works. None: there is one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.help: Callable[[Callable[[], bool], float | None], bool] | None = None
        self._value: Any = None
        self._error: OptExcInfo | None = None
        self._taken = threading.Lock()
        # Held until there is an answer.
        self._unset = threading.Lock()
        self._unset.acquire()

    def get(self, *, timeout: float | None = None) -> Any:
        """The answer, waited for ``timeout`` seconds at most; None waits as long as it takes.

        Raises:
            pykka.Timeout: there is none yet.
            Exception: the answer is an error.
        """
        if self._get_hook is not None:
            return super().get(timeout=timeout)
        unset = self._unset
        # Who does not want to wait does not want to work either.
        if self.help is not None and timeout != 0 and not self.help(self.done, timeout):
            raise Timeout("nobody is left who could answer")
        if unset.locked():
            if not unset.acquire(timeout=-1 if timeout is None else max(0.0, min(timeout, threading.TIMEOUT_MAX))):
                raise Timeout(f"{timeout} seconds")
            unset.release()
        if self._error is not None:
            error_type, error, traceback = self._error
            assert error_type is not None
            raise (error_type() if error is None else error).with_traceback(traceback)
        return self._value

    def done(self) -> bool:
        """Whether there is an answer."""
        return not self._unset.locked()

    def set(self, value: T | None = None) -> None:
        """Answer.

        Raises:
            queue.Full: there is an answer already.
        """
        self._take()
        self._value = value
        self._unset.release()

    def set_exception(self, exc_info: OptExcInfo | None = None) -> None:
        """Answer with an error: that of ``exc_info``, or the one being handled.

        Raises:
            queue.Full: there is an answer already.
        """
        self._take()
        self._error = exc_info or sys.exc_info()
        self._unset.release()

    def _take(self) -> None:
        if self._get_hook is not None or not self._taken.acquire(blocking=False):
            raise queue.Full
