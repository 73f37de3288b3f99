"""Patterns: RE2, whose time is linear in the text whatever the pattern."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.text import text_of
from fluxor_actors.expression.values import shown

__all__ = ["compile_pattern", "regexpr"]

_LONGEST = 10_000


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Callable[[str], Any]:
    """The search function of a pattern.

    Raises:
        ExpressionError: it is not a pattern, or too large a one.
    """
    # Loaded on first use: most workflows match nothing.
    import re2

    if len(pattern) > _LONGEST:
        raise ExpressionError(f"the pattern has {len(pattern):,} characters; the limit is {_LONGEST:,}")
    options = re2.Options()
    options.log_errors = False
    try:
        search: Callable[[str], Any] = re2.compile(pattern, options).search
    except re2.error as error:
        detail = error.args[0] if error.args else ""
        detail = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        raise ExpressionError(f"bad pattern {shown(pattern)}: {detail[:100]}") from None
    return search


def regexpr(value: Any, pattern: Any, meter: Meter) -> bool:
    """Whether the pattern is found anywhere in the value's text form."""
    search = compile_pattern(text_of(pattern, meter))
    text = text_of(value, meter)
    meter.charge(len(text) >> 4)
    return search(text) is not None
