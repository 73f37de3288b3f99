"""The live tree on a terminal. Redrawn ten times a second at most, whatever happens how often."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from fluxor_actors.cli.views.above import Above
from fluxor_actors.cli.views.board import Board
from fluxor_actors.cli.views.rows import rows_of
from fluxor_actors.cli.views.tree import draw
from fluxor_actors.definition import Workflow
from fluxor_actors.events import Event, EventContext
from fluxor_actors.process.snapshot import Execution

__all__ = ["LiveTree"]

_PERIOD = 0.1
_MOST_ROWS = 40


class LiveTree:
    """A tree of tasks, kept below what actions print.

    Args:
        workflow: of which the tasks are shown before they begin.
        redirect: standard output is this terminal, too.
    """

    def __init__(self, workflow: Workflow | None, *, redirect: bool) -> None:
        self._console = Console(file=sys.stderr, highlight=False, markup=False, emoji=False)
        self._board = Board(workflow)
        self._lock = threading.Lock()
        self._tick = 0
        self._live = self._new_live()
        # Held by whoever writes to the terminal.
        self._screen = threading.Lock()
        self._asking = False
        self._redirect = redirect
        self._above = Above()
        self._before = (sys.stdout, sys.stderr)
        self._over = threading.Event()
        self._drawing = threading.Thread(target=self._draw, name="fluxor-live", daemon=True)

    def start(self) -> None:
        self._before = (sys.stdout, sys.stderr)
        sys.stderr = self._above.stream(sys.stderr)
        if self._redirect:
            sys.stdout = self._above.stream(sys.stdout)
        self._live.start()
        self._drawing.start()

    def take(self, event: Event[Any]) -> None:
        with self._lock:
            self._board.take(event)

    def recall(self, executions: Iterable[Execution]) -> None:
        now = datetime.now(UTC)
        for each in executions:
            word = str(each.state) if each.state.final else "started"
            self.take(Event(EventContext(each.process_id, each.task_id, f"execution.{word}"), now, data=each))

    def say(self, line: str) -> None:
        self._above.put(f"{line}\n")

    def ask(self, text: str) -> None:
        with self._screen, suppress(OSError):  # the terminal is gone
            if not self._asking:
                self._asking = True
                self._print(self._above.take())
                # The tree makes room, and comes back below the answer.
                self._live.transient = True
                self._live.stop()
            self._console.file.write(text)
            self._console.file.flush()

    def answered(self) -> None:
        with self._screen, suppress(OSError):
            if self._asking:
                self._asking = False
                self._live = self._new_live()
                self._live.start()

    def finish(self) -> None:
        self._over.set()
        self._drawing.join()
        sys.stdout, sys.stderr = self._before
        self.answered()
        with suppress(OSError):  # the terminal is gone
            self._print(self._above.drain())
            self._live.stop()

    def restore(self) -> None:
        with suppress(OSError):
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"\x1b[?25h\r\n")

    def _draw(self) -> None:
        with suppress(OSError):  # the terminal is gone; the run goes on
            while not self._over.wait(_PERIOD):
                self._tick += 1
                with self._screen:
                    # To print redraws the tree, as it was: so both take turns.
                    if not self._asking and (self._tick % 2 or not self._print(self._above.take())):
                        self._live.refresh()

    def _new_live(self) -> Live:
        return Live(
            console=self._console,
            get_renderable=self._frame,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )

    def _print(self, text: str) -> bool:
        if text:
            self._console.print(Text.from_ansi(text.removesuffix("\n")), soft_wrap=True)
        return bool(text)

    def _frame(self) -> Text:
        console = self._console
        room = max(3, min(_MOST_ROWS, console.height - 3))
        with self._lock:
            rows, left_out = rows_of(self._board, room, datetime.now(UTC))
            # The terminal writes ^C at the cursor; it must not begin a new line there.
            return draw(rows, left_out, console.width - 3, self._tick, ascii_only=console.options.ascii_only)
