"""How large plain data may be."""

from __future__ import annotations

__all__ = ["MAX_BITS", "MAX_DEPTH", "MAX_VALUES"]

MAX_DEPTH = 200
"""How deep containers may nest."""

MAX_BITS = 14_000
"""Of an integer. Python refuses to write decimal numbers of more than 4,300 digits, so no store could take them."""

MAX_VALUES = 100_000_000
"""In one value. Shared containers count every time they are met, as a store would write them."""
