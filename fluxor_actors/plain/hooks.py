"""How values of other types become plain."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

__all__ = ["HOOKS", "Hook"]

Hook = Callable[[Any], Any]
"""Turns a value of one type into something nearer to plain data, which is then converted in its turn."""


def _base64(value: bytes | bytearray | memoryview) -> str:
    return base64.b64encode(value).decode("ascii")


HOOKS: Mapping[type, Hook] = {
    Enum: lambda value: value.value,
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: timedelta.total_seconds,
    bytes: _base64,
    bytearray: _base64,
    memoryview: _base64,
    Decimal: str,
    UUID: str,
    PurePath: str,
}
"""Of the types that every engine knows."""
