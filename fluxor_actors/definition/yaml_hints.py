"""What to do about YAML that does not parse, guessed from the line."""

from __future__ import annotations

import re

__all__ = ["syntax_hint"]

_BANG = re.compile(r"(?:^|[:\[{,-])\s*!")
_FLOW_EXPRESSION = re.compile(r"[\[{,][^'\"]*\$\{")
_SPECIAL = re.compile(r":\s+[@`%&*|>]")


def syntax_hint(text: str, line: int, message: str) -> str:
    """A hint for a syntax error on ``line`` or, as scanners report late, the two lines before it."""
    lines = text.split("\n", line)[:line]
    near = lines[-1:] + lines[-2:-1] + lines[-3:-2]
    if any("\t" in each[: len(each) - len(each.lstrip())] for each in near):
        return "indent with blanks, not with tabs"
    if any(_FLOW_EXPRESSION.search(each) for each in near):
        return 'quote an expression inside [ ] or { }: {list: "${x}"}'
    if any(_BANG.search(each) for each in near):
        return 'quote a text that starts with !: "!go"'
    if near and _SPECIAL.search(near[0]):
        return "quote a text that starts with one of @ ` % & * | >"
    if "mapping values are not allowed" in message:
        return "quote a text that contains `: `"
    return ""
