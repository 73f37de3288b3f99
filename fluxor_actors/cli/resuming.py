"""Going on with what dead engines have left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Any

from fluxor_actors.actors.event_service import EventService
from fluxor_actors.cli.exits import ExitCode
from fluxor_actors.cli.interrupts import Interrupted, Interrupts
from fluxor_actors.cli.resting import asks_for, rest_of
from fluxor_actors.cli.runnable import check_runnable
from fluxor_actors.cli.text import printable, took
from fluxor_actors.engine import Fluxor
from fluxor_actors.errors import NotFoundError, StoreUnavailableError
from fluxor_actors.events import Event
from fluxor_actors.process.snapshot import Process
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage import Header
from fluxor_actors.storage.durable import DurableStore

__all__ = ["Resuming"]

_LOOK = 1.0
_EVENTS = tuple(f"process.{name}" for name in ("started", "resumed", "paused", "completed", "failed", "cancelled"))
_PATIENCE = 2
_MOST = 20


class Resuming:
    """Takes over, and says what comes of it: a line for each process that begins or ends.

    Args:
        engine: not started yet; it takes over.
        store: its store.
        events: its events.
        named: what names the store to other commands.
    """

    def __init__(self, engine: Fluxor, store: DurableStore, events: EventService, named: str = "") -> None:
        self._engine = engine
        self._store = store
        self._events = events
        self._named = named
        self._open: set[str] = set()
        # One that went on by itself when it was last looked at.
        self._mover = ""
        self._ends: list[ProcessState] = []

    def run(self, *, paused: bool) -> ExitCode:
        """Until nothing is open any more, or all that is waits for somebody, or Ctrl-C. ``paused``: go on with what is paused, too.

        Raises:
            UsageProblem: an action is missing; nothing was touched.
        """
        left = list(self._left())
        check_runnable(self._engine, self._store, left)
        inbox: SimpleQueue[Any] = SimpleQueue()
        self._events.subscribe(inbox.put, event_type=_EVENTS)
        code: ExitCode | None = None
        with Interrupts(inbox, lambda: None):
            try:
                self._begin(left, paused=paused)
                code = self._follow(inbox)
            finally:
                self._engine.shutdown(self._engine.config.cancel_grace)
                self._events.shutdown()
        return self._code() if code is None else code

    def _left(self) -> Iterator[Header]:
        for header in self._store.headers():
            if not header.state.final and self._store.owner_of(header.id) is None:
                yield header

    def _begin(self, left: list[Header], *, paused: bool) -> None:
        if not left:
            _say("no dead engine has left anything")
        for header in left:
            _say(f"{'taken':<9}  {header.id}  {header.workflow}  {header.state}")
        self._open = {header.id for header in left if header.state is not ProcessState.PAUSED}
        self._engine.start()
        for header in left:
            if self._store.owner_of(header.id) is None:
                # It waits for something, and an engine leaves that where it is.
                self._engine.runtime.take_over(header.id)
            if header.state not in (ProcessState.PAUSED, ProcessState.PAUSE_REQUESTED):
                continue
            if paused:
                self._engine.runtime.resume_process(header.id)
                self._open.add(header.id)
            elif header.state is ProcessState.PAUSED:
                self._ends.append(ProcessState.PAUSED)
                _say(f"{'paused':<9}  {header.id}  {header.workflow}  --paused goes on with it")

    def _follow(self, inbox: SimpleQueue[Any]) -> ExitCode | None:
        quiet = 0
        # Commands that were left on the store may wake what has ended.
        while self._open or quiet < _PATIENCE:
            try:
                message = inbox.get(timeout=_LOOK)
            except Empty:
                quiet += 1
                self._look()
                if self._open and quiet >= _PATIENCE and self._at_rest():
                    self._tell()
                    return None
                continue
            if isinstance(message, Interrupted):
                _say("stopping when what runs has ended, again stops at once; fluxor resume-all goes on")
                return ExitCode(128 + message.number)
            quiet = 0
            self._take(message)
        return None

    def _take(self, event: Event[Any]) -> None:
        process: Process = event.data
        if not process.state.final and process.state is not ProcessState.PAUSED:
            if process.id not in self._open:
                self._open.add(process.id)
                _say(f"{process.state:<9}  {process.id}  {process.workflow}")
            return
        self._open.discard(process.id)
        self._ends.append(process.state)
        time = took(event.context.time_taken_ms / 1000)
        more = f"  ({len(self._open)} open)" if self._open else ""
        _say(f"{process.state:<9}  {process.id}  {process.workflow}  {time}{more}")
        for task, text in process.errors.items():
            _say(f"  {task}: {text.strip().partition(chr(10))[0]}")

    def _look(self) -> None:
        """Forget what has ended with another engine, which was quicker to take it over."""
        for process_id in tuple(self._open):
            header = self._store.header(process_id)
            if header is None or header.state.final or header.state is ProcessState.PAUSED:
                self._open.discard(process_id)

    def _at_rest(self) -> bool:
        """Whether nothing goes on until somebody outside does something. Looks no further than to the first that does."""
        if self._mover in self._open and not self._waits(self._mover):
            return False
        self._mover = next((each for each in self._open if not self._waits(each)), "")
        return not self._mover

    def _waits(self, process_id: str) -> bool:
        try:
            standing = self._store.standing(process_id)
            if standing is not None and standing.commands:
                return False  # what it was told is about to be taken
            rest = rest_of(self._engine, process_id)
        except (NotFoundError, StoreUnavailableError):
            return False  # the next look tells
        return rest is not None and any(asks_for(rest))

    def _tell(self) -> None:
        """Say what is waited for, and how that is given."""
        lines: dict[str, None] = {}
        for process_id in sorted(self._open):
            rest = rest_of(self._engine, process_id)
            lines.update(dict.fromkeys(() if rest is None else asks_for(rest, self._named)))
        for line in tuple(lines)[:_MOST]:
            _say(f"{'waiting':<9}  {line}")
        if len(lines) > _MOST:
            _say(f"… and {len(lines) - _MOST} more; `fluxor explain ID` tells of each process")
        _say("nothing goes on until that is done; then fluxor resume-all goes on")

    def _code(self) -> ExitCode:
        if ProcessState.FAILED in self._ends:
            return ExitCode.FAILED
        if ProcessState.CANCELLED in self._ends:
            return ExitCode.CANCELLED
        return ExitCode.UNFINISHED if self._open or ProcessState.PAUSED in self._ends else ExitCode.COMPLETED


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)
