"""Taking the values of secrets out of whatever leaves an action."""

from __future__ import annotations

import base64
import html
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

__all__ = ["HIDDEN", "SHORTEST", "Scrubber"]

HIDDEN = "***"
"""What stands in the place of a secret's value."""

SHORTEST = 6
"""Characters of the shortest value that is looked for inside other texts."""


def _spellings(value: str) -> Iterator[str]:
    """The value as it is, and as it looks inside text that was made of it."""
    yield value
    yield value.upper()
    yield value.lower()
    yield repr(value)[1:-1]
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield html.escape(value)
    yield quote(value)
    yield quote(value, safe="")
    yield quote_plus(value)
    data = value.encode()
    yield data.hex()
    yield data.hex().upper()
    for offset in range(3):
        # Inside a longer text the value begins at any of three places of a group of characters; those at its ends have neighbours in them.
        encoded = base64.b64encode(b"\0" * offset + data)
        whole = len(encoded) - (4 if (offset + len(data)) % 3 else 0)
        inner = encoded[4 if offset else 0 : whole].decode()
        if len(inner) >= SHORTEST:
            yield inner
            yield inner.translate(_URL_SAFE)


_MIDDLE = 8
"""Characters from the middle of a value by which large pieces of it are found."""

_URL_SAFE = str.maketrans("+/", "-_")


class Scrubber:
    """Knows the values of secrets, in the spellings in which they show up. Safe between threads.

    Example:
        >>> scrubber = Scrubber()
        >>> scrubber.learn("TOKEN", "pa ss word")
        >>> scrubber.text("GET /?q=pa%20ss%20word")
        'GET /?q=***'
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: value to the name of the secret
        self.names: dict[str, str] = {}
        self._spellings: tuple[str, ...] = ()
        self._numbers: frozenset[int] = frozenset()
        self._ends: tuple[tuple[str, str, str], ...] = ()
        #: values with what is in every large piece of them, and where
        self._middles: tuple[tuple[str, str, int], ...] = ()

    def learn(self, name: str, value: str) -> None:
        """Look for this value, too, from now on."""
        if value in self.names:
            return
        with self._lock:
            names = {**self.names, value: name}
            long = [known for known in names if len(known) >= SHORTEST]
            found = {spelling for known in long for spelling in _spellings(known)}
            # A longer one first: it may hold a shorter one.
            self._spellings = tuple(sorted(found, key=len, reverse=True))
            self._numbers = frozenset(int(known) for known in names if known.isascii() and known.isdigit())
            self._middles = tuple(
                (known, known[(at := (len(known) - _MIDDLE) // 2) : at + _MIDDLE], at)
                for known in long
                if len(known) >= 2 * _MIDDLE
            )
            self._ends = tuple((known, known[: _part(known)], known[-_part(known) :]) for known in long)
            self.names = names

    def text(self, text: str) -> str:
        """The text without the values, and without pieces that are more than half of one."""
        if text in self.names:
            return HIDDEN
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, HIDDEN)
        for value, middle, at in self._middles:
            if middle in text:
                text = _without_pieces(text, value, middle, at)
        return text

    def message(self, text: str) -> str:
        """A message for people without the values, and without what is left of one that was cut off in the middle."""
        text = self.text(text)
        for value, head, tail in self._ends:
            if head in text:
                text = _without(text, head, value)
            if tail in text:
                text = _without(text[::-1], tail[::-1], value[::-1])[::-1]
        return text

    def value(self, value: Any) -> Any:
        """Plain data without the values, keys included; the same object when there is none in it."""
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind is int:
            return HIDDEN if value in self._numbers else value
        return mapped(value, self.value)


def _part(value: str) -> int:
    """How many characters of a value, at either end, give it away."""
    return max(4, min(8, len(value) // 2))


def _without(text: str, head: str, value: str) -> str:
    """The text without what begins with ``head`` and goes on like ``value``."""
    parts, place = [], 0
    while (found := text.find(head, place)) >= 0:
        end = found + len(head)
        while end < len(text) and end - found < len(value) and text[end] == value[end - found]:
            end += 1
        parts += [text[place:found], HIDDEN]
        place = end
    return "".join([*parts, text[place:]])


def _without_pieces(text: str, value: str, middle: str, at: int) -> str:
    """The text without pieces of ``value`` that are long enough to have its ``middle``, which begins at ``at``, in them for sure."""
    enough = (len(value) + len(middle) + 1) // 2
    parts, place, look = [], 0, 0
    while (found := text.find(middle, look)) >= 0:
        start, end = found, found + len(middle)
        while start > place and (before := at - (found - start) - 1) >= 0 and text[start - 1] == value[before]:
            start -= 1
        while end < len(text) and (after := at + end - found) < len(value) and text[end] == value[after]:
            end += 1
        look = end
        if end - start >= enough:
            parts += [text[place:start], HIDDEN]
            place = end
    return "".join([*parts, text[place:]])


def mapped(value: Any, change: Any) -> Any:
    """A list or mapping of plain data with ``change`` done to everything in it, keys included; the same object when nothing changes."""
    if isinstance(value, list | tuple):
        items = [change(item) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if isinstance(value, Mapping):
        pairs = [(change(key), change(item)) for key, item in value.items()]
        same = all(new[0] is old[0] and new[1] is old[1] for new, old in zip(pairs, value.items(), strict=True))
        return value if same else dict(pairs)
    return value
