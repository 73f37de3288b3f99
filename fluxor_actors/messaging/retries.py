"""How often a message is delivered, and when again.

Example:
    >>> Retries.of(2, "500ms")
    Retries(most=2, delay=0.5)
    >>> Retries(2, 0.5).exhausted(2), Retries(2, 0.5).exhausted(3)
    (False, True)
"""

from __future__ import annotations

from typing import Any, Self

from attrs import frozen

from fluxor_actors.durations import parse_duration
from fluxor_actors.errors import ConfigError

__all__ = ["DIED", "Retries"]

DIED = "its consumer died"
"""The error of a message that nobody has refused."""


@frozen
class Retries:
    """``most``: deliveries after the first; ``delay``: seconds between two."""

    most: int
    delay: float

    @classmethod
    def of(cls, max_retries: Any, retry_delay: Any) -> Self:
        """What a queue was given.

        Raises:
            ConfigError: it makes no sense.
        """
        if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
            raise ConfigError(f"max_retries is {max_retries!r}; expected a whole number from 0")
        try:
            delay = parse_duration(retry_delay)
        except ValueError as error:
            raise ConfigError(f"retry_delay: {error}") from error
        return cls(max_retries, delay)

    def exhausted(self, attempts: int) -> bool:
        """Whether a message that has been delivered so often is not delivered any more."""
        return attempts > self.most
