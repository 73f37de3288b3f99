"""Values that are made several times a task: frozen for the type checker, and plain at run time, where freezing costs three times as much.

Example:
    >>> @frozen(slots=True)
    ... class Pair:
    ...     left: int
    ...     right: int
    >>> Pair(1, 2)
    Pair(left=1, right=2)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attrs import frozen
else:
    from attrs import define as frozen

__all__ = ["frozen"]
