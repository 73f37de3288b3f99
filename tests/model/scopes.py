"""Names in sight of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Scope"]


class Scope:
    """Names, and the scope around them. ``keeps``: whether outputs of tasks are kept here (the session, and each item)."""

    def __init__(self, names: Mapping[str, Any], outer: Scope | None = None, *, keeps: bool = False) -> None:
        self.names = dict(names)
        self.outer = outer
        self.keeps = keeps or outer is None
        self.skipped: set[str] = set()

    def known(self, name: str) -> bool:
        return name in self.names or name in self.skipped or (self.outer is not None and self.outer.known(name))

    def read(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        return None if self.outer is None or name in self.skipped else self.outer.read(name)

    def keeper(self) -> Scope:
        """Where outputs are kept."""
        return self if self.keeps or self.outer is None else self.outer.keeper()

    def holder(self, name: str) -> Scope:
        """Where a ``post`` writes: the nearest scope that has the name, else the session."""
        return self if name in self.names or self.outer is None else self.outer.holder(name)

    def write(self, path: str, value: Any) -> None:
        """What a parameter of ``post`` does."""
        name, *rest = path.removesuffix("[]").split(".")
        place = self.holder(name).names
        place[name] = _put(place.get(name), rest, value, append=path.endswith("[]"))

    def set(self, path: str, value: Any) -> None:
        """What a parameter of ``init`` does: in this scope alone."""
        name, *rest = path.split(".")
        self.names[name] = _put(self.read(name), rest, value, append=False)


def _put(old: Any, path: list[str], value: Any, *, append: bool) -> Any:
    if path:
        place = dict(old) if isinstance(old, dict) else {}
        place[path[0]] = _put(place.get(path[0]), path[1:], value, append=append)
        return place
    if not append:
        return value
    more = value if isinstance(value, list) else [] if value is None else [value]
    return [*(old or ()), *more]
