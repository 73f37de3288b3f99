"""Plain data: null, bool, int, finite float, text, list, and mapping with text keys; the same in every store.

Whatever an action returns is turned into plain data by its worker. What is plain already comes back as it is, uncopied.

Example:
    >>> from datetime import date
    >>> to_plain({"day": date(2024, 2, 29), "pair": (1, 2)})
    {'day': '2024-02-29', 'pair': [1, 2]}

Part of the ground floor: imports the errors only, and everything may import it.
"""

from __future__ import annotations

from fluxor_actors.plain.converter import PlainConverter, is_plain, to_plain
from fluxor_actors.plain.hooks import Hook
from fluxor_actors.plain.limits import MAX_DEPTH
from fluxor_actors.plain.paths import join_path

__all__ = ["MAX_DEPTH", "Hook", "PlainConverter", "is_plain", "join_path", "to_plain"]
