"""What to do about YAML that does not parse, guessed from the line."""

from __future__ import annotations

import re

from fluxor_actors.definition.position import Position

__all__ = ["character_place", "syntax_hint"]

_BANG = re.compile(r"(?:^|[:\[{,-])\s*!")
_FLOW_EXPRESSION = re.compile(r"[\[{,][^'\"]*\$\{")
_FLOW_COLON = re.compile(r"[\[{,][^'\"{}\[\],]*:\s[^'\"{}\[\],]*:(\s|$)")
_UNREADABLE = re.compile("[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_SPECIAL = re.compile(r":\s+[@`%&*|>]")
_LONGEST = 1_000  # characters of a line that are looked at: the patterns take time that grows with the square of it
_BY_MESSAGE = (
    ("quoted scalar", "close the quote"),
    ("expected ',' or", "close the bracket, or quote a text with one of [ ] { } , : in it"),
    (
        "did not find expected key",
        "indent the keys of one mapping alike, and quote a text that begins with a quote or a bracket",
    ),
    ("did not find expected '-'", "indent the items of one list alike"),
    ("incompatible YAML", "remove the `%YAML` line"),
)


def syntax_hint(text: str, line: int, message: str) -> str:
    """A hint for a syntax error on ``line`` or, as scanners report late, the two lines before it."""
    lines = text.split("\n", line)[:line]
    near = [each[:_LONGEST] for each in lines[:-4:-1]]
    if any("\t" in each[: len(each) - len(each.lstrip())] for each in near):
        return "indent with blanks, not with tabs"
    if any(_FLOW_EXPRESSION.search(each) for each in near):
        return 'quote an expression inside [ ] or { }: {list: "${x}"}'
    if any(_BANG.search(each) for each in near):
        return 'quote a text that starts with !: "!go"'
    if near and _SPECIAL.search(near[0]):
        return "quote a text that starts with one of @ ` % & * | >"
    if "mapping values are not allowed" in message or any(_FLOW_COLON.search(each) for each in near):
        return "quote a text that contains `: `"
    return next((hint for part, hint in _BY_MESSAGE if part in message), "")


def character_place(text: str, source: str) -> tuple[Position, str]:
    """Where a character stands that no YAML may hold, and what to do about it."""
    found = _UNREADABLE.search(text)
    if found is None:
        return Position(1, 1, source), ""
    line = text.count("\n", 0, found.start()) + 1
    column = found.start() - text.rfind("\n", 0, found.start())
    code = ord(found.group())
    written = f"\\x{code:02X}" if code < 256 else f"\\u{code:04X}"
    return Position(line, column, source), f'in double quotes it is written "{written}"'
