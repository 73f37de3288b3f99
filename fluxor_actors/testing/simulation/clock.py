"""Time that passes when somebody says so."""

from __future__ import annotations

from fluxor_actors.clock import ManualClock

__all__ = ["VirtualClock"]


class VirtualClock(ManualClock):
    """A clock that jumps from one instant to the next, however far that is.

    Example:
        >>> clock = VirtualClock(1_000.0)
        >>> clock.jump(1_060.5)
        >>> clock.time()
        1060.5
        >>> clock.jump(1_000.0)  # never back
        >>> clock.time()
        1060.5
    """

    def jump(self, instant: float) -> None:
        """Be at ``instant``, in seconds since the epoch, exactly; nothing changes if that is past."""
        if instant > self._time:
            # Not by adding the difference, which is rounded.
            self._time = instant
            self.advance(0)
