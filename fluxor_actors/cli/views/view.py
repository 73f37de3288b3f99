"""What every view can do."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Protocol

from fluxor_actors.events import Event
from fluxor_actors.process.snapshot import Execution

__all__ = ["EVENT_TYPES", "Quiet", "View"]

EVENT_TYPES = tuple(
    f"execution.{name}"
    for name in (
        "scheduled", "started", "completed", "failed", "skipped", "cancelled", "waiting", "retrying", "expanded",
    )
)  # fmt: skip
"""What views are told of."""


class View(Protocol):
    """Shows a run on standard error."""

    def start(self) -> None:
        """Begin to show."""
        ...

    def take(self, event: Event[Any]) -> None:
        """Take in one event of `EVENT_TYPES`; called on a thread of the engine, one event at a time."""
        ...

    def recall(self, executions: Iterable[Execution]) -> None:
        """Take in what was before: executions of a process that is joined."""
        ...

    def say(self, line: str) -> None:
        """Show a line of the command itself."""
        ...

    def ask(self, text: str) -> None:
        """Show a text as it is, at once, for somebody who types an answer after it. From then on nothing else is shown."""
        ...

    def answered(self) -> None:
        """Go on with showing, at the beginning of a line. Idempotent."""
        ...

    def finish(self) -> None:
        """Show the end, and leave the terminal as it was. No event comes after it."""
        ...

    def restore(self) -> None:
        """Leave the terminal as it was, at once: the program ends within a signal handler."""
        ...


class Quiet:
    """Shows only what the command itself says, on standard error."""

    def start(self) -> None:
        """Nothing to begin."""

    def take(self, event: Event[Any]) -> None:
        """Nothing is shown of it."""

    def recall(self, executions: Iterable[Execution]) -> None:
        """Nothing is shown of it."""

    def say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def ask(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    def answered(self) -> None:
        """Nothing was held back."""

    def finish(self) -> None:
        """Nothing to end."""

    def restore(self) -> None:
        """Nothing was changed."""
