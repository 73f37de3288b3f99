"""Fenced blocks of Markdown pages, so that what the pages show can be run."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from attrs import frozen

__all__ = ["ROOT", "Block", "blocks", "masked", "runnable"]

ROOT = Path(__file__).resolve().parent.parent
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MASKS = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{16,32}\b"), "<id>"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:µs|ms|s)\b"), "<time>"),
)


@frozen
class Block:
    """One fenced block: its language and its text."""

    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(*found) for found in _FENCE.findall(page.read_text(encoding="utf-8"))]


def runnable(page: Path) -> list[tuple[str, str]]:
    """The Python programs of a page with what they print: each block of Python that a block of text follows."""
    found = blocks(page)
    pairs = pairwise(found)
    return [
        (code.text, output.text) for code, output in pairs if (code.language, output.language) == ("python", "text")
    ]


def masked(text: str) -> str:
    """The text with ids and durations, which differ from run to run, replaced."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text
