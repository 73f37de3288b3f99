"""Following a process to its end, or to what comes first: the time, Ctrl-C, a pause."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from attrs import evolve, frozen

from fluxor_actors.cli.attending import Asked, Attendant, Settled
from fluxor_actors.cli.exits import ExitCode
from fluxor_actors.cli.interrupts import Interrupted
from fluxor_actors.cli.keyboard import Typed
from fluxor_actors.cli.text import took
from fluxor_actors.cli.views import View
from fluxor_actors.engine import Fluxor, ProcessHandle
from fluxor_actors.errors import StoreUnavailableError
from fluxor_actors.process.events import PauseRequested
from fluxor_actors.process.snapshot import ProcessOutput
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage.durable import DurableStore

__all__ = ["Follower", "Paused"]

_CODES = {
    ProcessState.COMPLETED: ExitCode.COMPLETED,
    ProcessState.FAILED: ExitCode.FAILED,
    ProcessState.CANCELLED: ExitCode.CANCELLED,
}
_LOOK = 1.0
"""Seconds between looks at a process that another program runs: whether that is still so."""
_REST = 0.2
"""Seconds between looks at a process that has asked somebody who is not here: whether it does anything else."""

Outcome = tuple[ProcessOutput, ExitCode]


@frozen
class Paused:
    """Put into the inbox when a process is paused."""

    process_id: str


class Follower:
    """Waits for one process.

    Args:
        engine: of this program.
        handle: of the process.
        inbox: gets `Paused`, `Interrupted`, and what the attendant takes.
        view: is told what there is to say.
        store: where the process is kept; None: in memory only.
        again: the command line that goes on with it.
        attendant: sees to its approval requests.
    """

    def __init__(
        self,
        engine: Fluxor,
        handle: ProcessHandle,
        inbox: SimpleQueue[Any],
        view: View,
        store: DurableStore | None,
        again: str,
        attendant: Attendant,
    ) -> None:
        self._engine = engine
        self._handle = handle
        self._inbox = inbox
        self._view = view
        self._store = store
        self._again = again
        self._attendant = attendant
        self._own = True
        self._begun = time.monotonic()
        self._deadline: float | None = None
        self._timeout = 0.0
        # The exit code that is settled before the end, and what there was then.
        self._code: ExitCode | None = None
        self._before: ProcessOutput | None = None

    def follow(self, timeout: float | None, *, own: bool) -> Outcome:
        """Wait, so many seconds at most. ``own``: this program runs the process."""
        self._own = own
        if timeout is not None:
            self._timeout, self._deadline = timeout, self._begun + timeout
        self._attendant.begin(self._handle.id)
        threading.Thread(target=self._wait, name="fluxor-wait", daemon=True).start()
        while True:
            outcome = self._take(self._next())
            if outcome is not None:
                return outcome

    def _wait(self) -> None:
        try:
            self._inbox.put(self._handle.wait())
        except BaseException as error:  # whoever follows the run raises it
            self._inbox.put(error)

    def _next(self) -> Any:
        left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        if not self._own:
            left = _LOOK if left is None else min(left, _LOOK)
        elif self._code is None and self._attendant.wanting:
            left = _REST if left is None else min(left, _REST)
        try:
            return self._inbox.get(timeout=left)
        except Empty:
            return None

    def _take(self, message: Any) -> Outcome | None:
        if message is None:
            if self._deadline is not None and time.monotonic() >= self._deadline:
                return self._late()
            return self._rest() if self._own else self._look()
        if isinstance(message, (Asked, Settled, Typed)):
            self._attendant.take(message)
            return None
        if isinstance(message, ProcessOutput):
            return self._ended(message)
        if isinstance(message, BaseException):
            raise message
        if isinstance(message, Interrupted):
            return self._interrupted(message.number)
        return self._paused() if message.process_id == self._handle.id else None

    def _rest(self) -> Outcome | None:
        """Whether it does nothing until somebody who is not here answers a request."""
        if self._code is not None or not self._attendant.at_rest():
            return None
        self._code = ExitCode.UNFINISHED
        if self._store is not None:
            self._view.say(f"it waits for approval: {self._attendant.how_to_answer()}; then go on with: {self._again}")
            return self._so_far(), self._code
        self._before = self._so_far()
        self._view.say("it waits for approval, and nobody else can give it to what is kept in memory only: cancelling")
        self._deadline = time.monotonic() + self._engine.config.cancel_grace
        self._cancel("nobody is there to approve it")
        return None

    def _ended(self, output: ProcessOutput) -> Outcome:
        if self._store is not None:
            # It had nothing left to pause.
            return output, _CODES[output.state]
        return self._before or output, self._code if self._code is not None else _CODES[output.state]

    # What comes before the end -------------------------------------------------------------------------------------------

    def _late(self) -> Outcome | None:
        if self._code is not None:
            return self._before or self._so_far(), self._code
        self._code = ExitCode.UNFINISHED
        said = f"not finished after {took(self._timeout)}"
        if self._store is None:
            self._before = self._so_far()
            self._view.say(f"{said}: cancelling; in memory only, it cannot go on later")
            self._cancel("the time is up")
        elif not self._own:
            return self._leave(said)
        elif self._pause(f"{said}: pausing; go on with: {self._again}"):
            return self._so_far(), self._code
        self._deadline = time.monotonic() + self._engine.config.cancel_grace
        return None

    def _interrupted(self, number: int) -> Outcome | None:
        self._attendant.close()
        name = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
        self._code, self._before, self._deadline = ExitCode(128 + number), None, None
        if self._store is None:
            self._view.say(f"{name}: cancelling; again stops at once. In memory only: it cannot go on later")
            self._cancel("interrupted")
        elif not self._own:
            return self._leave(name)
        elif self._pause(f"{name}: pausing, again stops at once; go on with: {self._again}"):
            return self._so_far(), self._code
        return None

    def _paused(self) -> Outcome | None:
        if self._store is None:
            if self._code is None:
                self._code, self._before = ExitCode.UNFINISHED, self._so_far()
                self._view.say("paused, and nobody can resume what is kept in memory only: cancelling")
                self._deadline = time.monotonic() + self._engine.config.cancel_grace
                self._cancel("paused for good")
            return None
        if self._code is not None:
            return self._so_far(), self._code
        if self._by_itself():
            self._view.say(f"paused; go on with: {self._again}")
            return self._so_far(), ExitCode.UNFINISHED
        self._view.say(f"paused by another program: fluxor resume {self._handle.id} goes on, Ctrl-C leaves it paused")
        return None

    def _look(self) -> Outcome | None:
        """Whether another program still runs the process, and whether it goes on there."""
        assert self._store is not None
        with suppress(StoreUnavailableError):
            if self._engine.runtime.take_over(self._handle.id):
                self._own = True
                self._view.say("the engine that ran it is gone: going on with it here")
            elif self._handle.process().state is ProcessState.PAUSED:
                self._view.say(f"paused; go on with: fluxor resume {self._handle.id}")
                return self._so_far(), ExitCode.UNFINISHED
        return None

    # Helpers -------------------------------------------------------------------------------------------------------------

    def _leave(self, said: str) -> Outcome:
        assert self._code is not None
        self._view.say(f"{said}: another program runs it, and goes on; follow it with: {self._again}")
        return self._so_far(), self._code

    def _so_far(self) -> ProcessOutput:
        """What is there of a process that has not ended, and how long it has run."""
        return evolve(self._handle.wait(0), time_taken=time.monotonic() - self._begun)

    def _cancel(self, reason: str) -> None:
        if not self._handle.process().state.final:
            self._handle.cancel(reason)

    def _pause(self, said: str) -> bool:
        """Ask for a pause, unless it has ended. Whether it is paused already."""
        self._view.say(said)
        state = self._handle.process().state
        if state in (ProcessState.RUNNING, ProcessState.RESUME_REQUESTED):
            state = self._handle.pause()
        return state is ProcessState.PAUSED

    def _by_itself(self) -> bool:
        """Whether it was ``autoPause`` that asked for the pause."""
        assert self._store is not None
        asked: PauseRequested | None = None
        for record in self._store.history(self._handle.id):
            for event in record.events:
                if isinstance(event, PauseRequested):
                    asked = event
        return asked is not None and asked.task is not None
