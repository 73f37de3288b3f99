"""How much an expression may take."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge

__all__ = ["Limits"]


@frozen(kw_only=True)
class Limits:
    """Bounds on one expression. Each is reported as an `ExpressionError` that names it.

    Attributes:
        source: characters of one expression (text around ``${…}`` does not count).
        depth: levels of nesting, in an expression and in a value that is expanded.
        steps: units of work in one evaluation; an element of a list costs one to four, 64 characters of text cost one.
        items: elements of a list that an expression builds.
        text: characters of a text that an expression builds.

    Example:
        >>> Limits(depth=10).depth
        10
    """

    source: int = field(default=65_536, validator=ge(1))
    depth: int = field(default=100, validator=ge(1))
    steps: int = field(default=6_000_000, validator=ge(1))
    items: int = field(default=1_000_000, validator=ge(1))
    text: int = field(default=16 * 1024 * 1024, validator=ge(1))
