"""Where something stands in a value."""

from __future__ import annotations

import json

__all__ = ["join_path"]


def join_path(path: str, key: object) -> str:
    """The path of what stands under ``key`` (text, or a number for a list) in the value at ``path``.

    Example:
        >>> join_path(join_path(join_path("$", "rows"), 3), "my name")
        '$.rows[3]["my name"]'
    """
    if isinstance(key, str):
        return f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}[{key}]"
