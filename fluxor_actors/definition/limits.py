"""How large and how deep a document may be. All are counted while reading, before anything large is built."""

from __future__ import annotations

__all__ = [
    "DEEP_HINT",
    "MAX_ALIAS_CHARACTERS",
    "MAX_ALIAS_NODES",
    "MAX_BYTES",
    "MAX_COMBINATIONS",
    "MAX_DEPTH",
    "MAX_IMPORTED_NODES",
]

MAX_BYTES = 8 << 20
MAX_DEPTH = 100
DEEP_HINT = "split the document, or pass data as input"
MAX_ALIAS_NODES = 100_000
MAX_ALIAS_CHARACTERS = 8 << 20
MAX_IMPORTED_NODES = 1_000_000
MAX_COMBINATIONS = 100_000
