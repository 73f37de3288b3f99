"""What one evaluation has used so far."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.limits import Limits

__all__ = ["Meter"]


class Meter:
    """Counts the work of one evaluation against its `Limits`, and holds its time.

    The language has no loops, so the cost of evaluating is the source's length times what each operation does to its
    operands: only operations on lists, mappings and text are charged.
    """

    __slots__ = ("_left", "_now", "limits")

    def __init__(self, limits: Limits, now: float | None = None) -> None:
        self.limits = limits
        self._left = limits.steps
        self._now = now

    def charge(self, steps: int) -> None:
        """Use up so many steps."""
        self._left -= steps
        if self._left < 0:
            raise ExpressionError(f"needs more than {self.limits.steps:,} steps")

    def items(self, count: int) -> None:
        """Make sure that a list of so many elements may be built, and charge for it."""
        if count > self.limits.items:
            raise ExpressionError(f"would give a list of {_amount(count)} elements; the limit is {self.limits.items:,}")
        self.charge(count)

    def text(self, size: int) -> None:
        """Make sure that a text of so many characters may be built, and charge for it."""
        if size > self.limits.text:
            raise ExpressionError(f"would give a text of {_amount(size)} characters; the limit is {self.limits.text:,}")
        self.charge(size >> 6)

    def now(self) -> str:
        """The time of the evaluation in ISO 8601, always of the same length, so that it sorts as text."""
        if self._now is None:
            self._now = time.time()
        return datetime.fromtimestamp(self._now, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _amount(count: int) -> str:
    # A count may itself be astronomical, as in ``range(0, 9…9)``.
    return f"{count:,}" if count < 10**15 else "too many"
