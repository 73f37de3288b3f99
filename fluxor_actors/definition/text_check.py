"""Which characters a text may not hold: those that a store cannot keep."""

from __future__ import annotations

import re

__all__ = ["unusable_character"]

_UNUSABLE = re.compile("[\0\ud800-\udfff]")


def unusable_character(text: str) -> str:
    r"""The first NUL or lone surrogate in ``text``, in words; empty when there is none.

    Example:
        >>> unusable_character("a\0b"), unusable_character("ab")
        ('U+0000', '')
    """
    found = _UNUSABLE.search(text)
    return f"U+{ord(found.group()):04X}" if found else ""
