"""Commands one after the other in one shell, so that a ``cd`` and variables carry from one to the next."""

from __future__ import annotations

import os
import secrets
import selectors
import shlex
import threading
import time
from collections.abc import Callable

from attrs import frozen

from fluxor_actors.actions.builtin.shell.bounded import Bounded
from fluxor_actors.actions.builtin.shell.channel import Channel

__all__ = ["KILLED", "LIMIT", "TIMED_OUT", "Ran", "Session"]

LIMIT = 256 * 1024
"""How many bytes are kept of each of a command's streams, and of all of them together."""
TIMED_OUT = 124
"""The status of a command that took too long, as ``timeout`` gives it."""
KILLED = 130
"""The status of a command that was cancelled."""
_GRACE = 0.5
"""Seconds between asking processes to end and making them."""


@frozen(slots=True)
class Ran:
    """How a command went. ``over``: the shell has ended with it, and runs no further one."""

    status: int
    stdout: str
    stderr: str
    over: bool = False


class Session:
    """Runs commands in a channel's shell. Used by one thread; `cancel` may come from any.

    Args:
        channel: is closed with the session.
        deadline: monotonic seconds until which commands may run; None: as long as they like.
        alive: called when something was printed.
    """

    def __init__(self, channel: Channel, deadline: float | None, alive: Callable[[], object]) -> None:
        self._channel = channel
        self._deadline = deadline
        self._alive = alive
        self._mark = secrets.token_hex(16)
        self._wake, self._waker = os.pipe()
        self._lock = threading.Lock()
        self._cancelled = False
        self._closed = False
        self.stdout, self.stderr = Bounded(LIMIT), Bounded(LIMIT)

    def cancel(self) -> None:
        """Let the command under way end, and begin no other one."""
        with self._lock:
            self._cancelled = True
            if not self._closed:
                os.write(self._waker, b"x")

    def open(self, preparation: str = "") -> None:
        """Make the shell ready: marks go to descriptors that no command can redirect."""
        self._send(f"exec 8>&1 9>&2\n{preparation}")

    def run(self, command: str) -> Ran:
        """Run one command to its end, or to the session's."""
        if self._cancelled:
            return Ran(KILLED, "", "", over=True)
        out, err = _Stream(self._mark, self.stdout), _Stream(self._mark, self.stderr)
        self._send(
            f"eval {shlex.quote(command)} </dev/null 8>&- 9>&- {self._channel.private}\n"
            # A command may have put a function in the place of `printf`.
            f"builtin printf '\\n{self._mark} %d\\n' \"$?\" >&8; builtin printf '\\n{self._mark} 0\\n' >&9\n"
        )
        status: int | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake, selectors.EVENT_READ)
            while out.status is None or err.status is None:
                if not self._pump(selector, out, err, self._deadline):
                    status = KILLED if self._cancelled else TIMED_OUT
                    self._end(selector, out, err)
                    break
                if not self._channel.streams:
                    break
        over = status is not None or out.status is None or err.status is None
        if status is None:
            status = out.status if out.status is not None else self.close()
        return Ran(status if status is not None else KILLED, out.text(), err.text(), over)

    def _send(self, text: str) -> None:
        try:
            self._channel.send(text.encode("utf-8", "surrogateescape"))
        except OSError:
            return  # the shell has ended, as its streams will tell

    def _pump(self, selector: selectors.BaseSelector, out: _Stream, err: _Stream, deadline: float | None) -> bool:
        """Take in what comes next. False when the time is over, or the session was cancelled."""
        _watch(selector, [self._wake, *self._channel.streams])
        left = None if deadline is None else deadline - time.monotonic()
        if self._cancelled or (left is not None and left <= 0):
            return False
        if not selector.select(left):
            return False
        self._take(out, err)
        return not self._cancelled

    def _take(self, out: _Stream, err: _Stream) -> None:
        taken = self._channel.take()
        for is_error, data in taken:
            (err if is_error else out).add(data)
        if taken:
            self._alive()

    def _end(self, selector: selectors.BaseSelector, out: _Stream, err: _Stream) -> None:
        """End all that runs, and take in its last words."""
        for hard in (False, True):
            self._channel.stop(hard=hard)
            until = time.monotonic() + _GRACE
            while self._channel.streams and (left := until - time.monotonic()) > 0:
                _watch(selector, self._channel.streams)
                if selector.select(left):
                    self._take(out, err)

    def close(self) -> int | None:
        """End the session with all that it has left running. The shell's own exit status, if it had ended by itself."""
        with self._lock:
            if self._closed:
                return None
            self._closed = True
            os.close(self._wake)
            os.close(self._waker)
        return self._channel.close()


def _watch(selector: selectors.BaseSelector, streams: list[int]) -> None:
    """Listen to just these."""
    known = set(selector.get_map())
    for gone in known - set(streams):
        selector.unregister(gone)
    for new in set(streams) - known:
        selector.register(new, selectors.EVENT_READ)


class _Stream:
    """One of a command's streams, up to the mark that stands at its end."""

    def __init__(self, mark: str, whole: Bounded) -> None:
        self._mark = f"\n{mark} ".encode()
        self._held = b""
        self._kept = Bounded(LIMIT)
        self._whole = whole
        self.status: int | None = None

    def add(self, data: bytes) -> None:
        if self.status is not None:
            return  # of something in the background
        self._held += data
        found = self._held.find(self._mark)
        if found >= 0:
            end = self._held.find(b"\n", found + len(self._mark))
            if end >= 0:
                self.status = int(self._held[found + len(self._mark) : end])
                self._keep(self._held[:found])
                self._held = b""
            return
        # The mark may have come in part only.
        ready = max(0, len(self._held) - len(self._mark) + 1)
        self._keep(self._held[:ready])
        self._held = self._held[ready:]

    def _keep(self, data: bytes) -> None:
        self._kept.add(data)
        self._whole.add(data)

    def text(self) -> str:
        self._keep(self._held)
        self._held = b""
        return self._kept.text()
