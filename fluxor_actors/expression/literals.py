"""Quoted text: reading and writing."""

from __future__ import annotations

import re

from fluxor_actors.errors import ExpressionError

__all__ = ["read_text", "write_text"]

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|x([0-9a-fA-F]{2})|([\s\S]))")
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "\n": "", **{c: c for c in "\\/'\"$"}}
_SPECIAL = re.compile(r"[\\\"\x00-\x1f\x7f]")


def read_text(quoted: str, position: int = 0) -> str:
    """What a quoted text means. A backslash before a character that needs none is kept, as in a pattern."""
    inside = quoted[1:-1]
    if "\\" not in inside:
        return str(inside)
    text = _ESCAPE.sub(_character, inside)
    bad = next((c for c in text if c == "\0" or "\ud800" <= c <= "\udfff"), None)
    if bad is not None:
        raise ExpressionError("a NUL or lone surrogate is not text", position=position)
    return text


def _character(match: re.Match[str]) -> str:
    high, low, byte, other = match.groups()
    if byte:
        return chr(int(byte, 16))
    if high is None:
        return _SIMPLE.get(other, match[0])
    code = int(high, 16)
    if low is None:
        return chr(code)
    if 0xD800 <= code < 0xDC00:
        return chr(0x10000 + ((code - 0xD800) << 10) + (int(low, 16) - 0xDC00))
    return chr(code) + chr(int(low, 16))


def write_text(text: str) -> str:
    """A quoted text that means ``text``.

    Example:
        >>> print(write_text("it's"))
        "it's"
    """
    return '"' + _SPECIAL.sub(lambda match: _write(match[0]), text) + '"'


def _write(character: str) -> str:
    return "\\" + character if character in '\\"' else f"\\x{ord(character):02x}"
