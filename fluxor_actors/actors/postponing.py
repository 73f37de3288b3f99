"""Messages that could not be handled since the store was away: they come again.

Example:
    >>> from fluxor_actors.clock import ManualClock
    >>> told, clock = [], ManualClock(0.0)
    >>> class Timer:
    ...     def tell(self, message):
    ...         told.append(message.due)
    >>> postponed = Postponed(clock, Timer())
    >>> postponed.put("first"), postponed.put("second"), told
    (None, None, [0.5])
    >>> postponed.take(), postponed.take()
    (['first', 'second'], [])
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from fluxor_actors.actors.messages import Mailbox, SetTimer
from fluxor_actors.clock import Clock
from fluxor_actors.process.commands import TimerKind

__all__ = ["NOBODY", "Postpone", "Postponed"]

NOBODY = ""
"""Whose timer it is that brings them again: no process has this id."""

_DELAY = 0.5


@frozen
class Postpone:
    """To the guardian: this cannot be handled while the store is away."""

    message: Any


class Postponed:
    """Keeps messages until a timer says that it is time to try again."""

    def __init__(self, clock: Clock, timer: Mailbox) -> None:
        self._clock = clock
        self._timer = timer
        self._messages: list[Any] = []

    def put(self, message: Any) -> None:
        """Have a message come again."""
        if not self._messages:
            self._timer.tell(SetTimer(NOBODY, "", TimerKind.RETRY, self._clock.time() + _DELAY))
        self._messages.append(message)

    def take(self) -> list[Any]:
        """What is to be tried again now, in the order in which it came."""
        messages, self._messages = self._messages, []
        return messages
