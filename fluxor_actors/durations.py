"""Durations as people write them.

Example:
    >>> parse_duration("1h30m"), parse_duration("PT5M"), parse_duration(2.5)
    (5400.0, 300.0, 2.5)
    >>> format_duration(5400.0)
    '1h30m'
"""

from __future__ import annotations

import math
import re

import durationpy

__all__ = ["format_duration", "parse_duration"]

_ISO = re.compile(
    r"P(?:(?P<weeks>\d+(?:\.\d+)?)W)?(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.IGNORECASE | re.ASCII,
)
_UNITS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_GO = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d|w|mm|y)", re.ASCII)
_LONGEST = 1e10


def parse_duration(value: object) -> float:
    """Seconds in ``1h30m``, ``500ms`` (Go's form), ``PT5M`` (ISO 8601), or a number of seconds.

    Raises:
        ValueError: it is none of these, negative, not finite, or longer than about three hundred years.
    """
    seconds = _seconds(value)
    if not math.isfinite(seconds) or seconds < 0 or seconds > _LONGEST:
        raise ValueError(f"{value!r} is out of range: a duration is from 0 to {_LONGEST:.0f} seconds")
    return seconds


def _seconds(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.fullmatch(text):
            return float(text)
        iso = _ISO.fullmatch(text)
        if iso and text[-1] not in "PTpt":
            return sum(float(number) * _UNITS[unit] for unit, number in iso.groupdict().items() if number)
        if len(text) < 100 and re.fullmatch(f"(?:{_GO.pattern})+", text, re.ASCII):
            return float(durationpy.from_str(text).total_seconds())
    raise ValueError(f"{value!r} is not a duration; write 1h30m, 500ms, PT5M or a number of seconds")


def format_duration(seconds: float) -> str:
    """The shortest Go form: ``1h30m``, ``2.5s``, ``500ms``."""
    if seconds == 0:
        return "0s"
    if seconds < 1:
        return f"{seconds * 1000:.6f}".rstrip("0").rstrip(".") + "ms"
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{int(hours)}h" if hours else ""
    text += f"{int(minutes)}m" if minutes else ""
    if rest or not text:
        text += f"{rest:.6f}".rstrip("0").rstrip(".") + "s"
    return text
