"""Instants: inside, seconds since the epoch; outside, aware times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["to_datetime"]


def to_datetime(seconds: float) -> datetime:
    """The aware UTC time of so many seconds since the epoch.

    Example:
        >>> to_datetime(0.0).isoformat()
        '1970-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(seconds, UTC)
