"""Texts in a Mermaid chart: whatever they hold, they are shown as they are."""

from __future__ import annotations

import re

__all__ = ["escaped", "shortened"]

_LONGEST = 80
# Quotes end a label; # and & begin an entity, < a tag, ` Markdown, %% a directive, $$ a formula, * is for emphasis, \ escapes.
_SPECIAL = re.compile(r'["#&<>`%\\*]|\$(?=\$)|(?<=\$)\$')
# What Markdown takes for a list.
_LIST = re.compile(r"^(\d*)([-+.)])")
_ENTITIES = {'"': "#quot;", "&": "#amp;", "<": "#lt;", ">": "#gt;"}


def escaped(text: str) -> str:
    """The text for a label between quotes.

    Example:
        >>> escaped('say "hi" <b> #1')
        'say #quot;hi#quot; #lt;b#gt; #35;1'
        >>> escaped("${n < 3}"), escaped("1. first")
        ('${n #lt; 3}', '1#46; first')
    """
    quoted = _SPECIAL.sub(lambda found: _ENTITIES.get(found.group(), f"#{ord(found.group())};"), text)
    return _LIST.sub(lambda found: f"{found.group(1)}#{ord(found.group(2))};", quoted)


def shortened(text: str) -> str:
    """The text in one line, at most eighty characters long."""
    line = " ".join(text.split())
    line = "".join(letter if letter.isprintable() else "\ufffd" for letter in line)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
