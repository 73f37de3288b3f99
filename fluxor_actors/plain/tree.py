"""What is plain already, found out fast."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

from fluxor_actors.plain.limits import MAX_BITS, MAX_DEPTH

__all__ = ["encodes", "is_tree"]


# One loop without calls: every output of every action passes here.
def is_tree(root: Any) -> bool:  # noqa: PLR0912  a call for each kind of value would double its time
    """Whether a dict or list is plain and meets no container twice. False decides nothing: the walk then looks closer."""
    seen: set[int] | None = None
    level = [root]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for container in level:
            if type(container) is dict:
                for key in container:
                    if type(key) is not str or not key.isascii() or "\0" in key:
                        return False
                values: Iterable[Any] = container.values()
            else:
                values = container
            for value in values:
                kind = type(value)
                if kind is str:
                    if "\0" in value or not (value.isascii() or encodes(value)):
                        return False
                elif kind is int:
                    if value.bit_length() > MAX_BITS:
                        return False
                elif kind is float:
                    if not isfinite(value):
                        return False
                elif kind is dict or kind is list:
                    below.append(value)
                elif value is not None and kind is not bool:
                    return False
        if not below:
            return True
        if seen is None:
            seen = {id(root)}
        count = len(seen) + len(below)
        seen.update(map(id, below))
        if len(seen) != count:
            return False
        level = below
    return False


def encodes(text: str) -> bool:
    """Whether a text has a UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
