"""Finds what is to be expanded in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from fluxor_actors.errors import ExpressionError

__all__ = ["Hole", "holes_of", "whole_path"]

_PATH = r"""[^\W\d]\w*(?:\.\w+|\[(?:-?[0-9]{1,9}|\$?[^\W\d]\w*(?:\.\w+)*|'[^'\\]*'|"[^"\\]*")\])*"""
_DOLLAR = re.compile(rf"\$(?:(?P<escaped>\$)|(?P<brace>\{{)|(?P<path>{_PATH}))")
_WHOLE = re.compile(rf"\$\.?{_PATH}")
# In an expression, the places where a brace may be anything else than a brace. One that is not closed reaches to the end,
# lest the rest be searched again from each of its characters.
_INSIDE = re.compile(
    r""""(?:[^"\\]|\\[\s\S])*(?:"|\\?\Z)|'(?:[^'\\]|\\[\s\S])*(?:'|\\?\Z)|~/(?:[^/\\]|\\[\s\S])*(?:/|\\?\Z)|[{}]"""
)


@frozen
class Hole:
    """One ``${source}`` in a text, or with ``path`` one ``$path``; ``start`` and ``end`` of all of it."""

    source: str
    start: int
    end: int
    path: bool = False

    @property
    def offset(self) -> int:
        """Where the source begins."""
        return self.start + (0 if self.path else 2)


def whole_path(text: str) -> bool:
    """Whether a text is ``$path``, or ``$.path``, and nothing else."""
    return _WHOLE.fullmatch(text) is not None


def holes_of(text: str) -> Iterator[str | Hole]:
    """The parts of a text: what stands as it is, with ``$$`` read as ``$``, and what is to be expanded.

    Raises:
        ExpressionError: a ``${`` is not closed.
    """
    at = 0
    while match := _DOLLAR.search(text, at):
        if match.start() > at:
            yield text[at : match.start()]
        at = match.end()
        if match["escaped"]:
            yield "$"
        elif match["path"]:
            yield Hole(match[0], match.start(), at, path=True)
        else:
            end = _closing(text, at)
            yield Hole(text[at:end], match.start(), end + 1)
            at = end + 1
    if at < len(text):
        yield text[at:]


def _closing(text: str, start: int) -> int:
    depth = 1
    for match in _INSIDE.finditer(text, start):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
            if depth == 0:
                return match.start()
    raise ExpressionError(
        "`${` is not closed", source=text, position=start - 2, expected=("`}`, or `$${` for a literal one",)
    )
