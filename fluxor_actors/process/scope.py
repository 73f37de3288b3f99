"""Variables in sight of a task: the session, and within it what ``init`` and items have set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Scope", "set_path"]


class Scope(dict[str, Any]):
    """Names and values, and the scope around them. The outermost is the session.

    Values are never changed in place, only replaced, so that a copy of the mapping is a true picture of its moment.

    Example:
        >>> session = Scope({"a": 1})
        >>> inner = Scope({"b": 2}, session)
        >>> inner["a"], inner["b"]
        (1, 2)
    """

    __slots__ = ("outputs", "parent", "skipped", "specials")

    def __init__(
        self,
        names: Mapping[str, Any] | None = None,
        parent: Scope | None = None,
        *,
        outputs: bool = False,
        specials: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(names or ())
        self.parent = parent
        #: whether the outputs of the tasks below are kept here (the session, and each item of a fan-out)
        self.outputs = outputs or parent is None
        #: namespaces of skipped tasks: known, and null
        self.skipped: set[str] | None = None
        #: names behind all others, such as ``config``; the outermost scope's only
        self.specials = specials

    def __missing__(self, name: str) -> Any:
        scope: Scope | None = self
        while scope is not None:
            if dict.__contains__(scope, name):
                return dict.__getitem__(scope, name)
            if scope.skipped is not None and name in scope.skipped:
                return None
            last = scope
            scope = scope.parent
        if name == "$":
            return last
        if last.specials is not None and name in last.specials:
            return last.specials[name]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        try:
            self[name]  # type: ignore[index]  # any object may be asked for
        except KeyError:
            return False
        return True

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def __iter__(self) -> Iterator[str]:
        if self.parent is None:
            return super().__iter__()
        return iter(self.visible())

    def visible(self) -> dict[str, Any]:
        """A copy of all that can be seen from here, inner names hiding outer ones."""
        chain: list[Scope] = []
        scope: Scope | None = self
        while scope is not None:
            chain.append(scope)
            scope = scope.parent
        names: dict[str, Any] = {}
        for scope in reversed(chain):
            names.update(dict.copy(scope))
        return names

    def own(self) -> dict[str, Any]:
        """A copy of the names of this scope alone."""
        return dict.copy(self)

    def holder(self, name: str) -> Scope:
        """The nearest scope that has the name, else the session: where a write goes."""
        scope = self
        while not dict.__contains__(scope, name):
            if scope.parent is None:
                return scope
            scope = scope.parent
        return scope

    def output_scope(self) -> Scope:
        """Where the outputs of tasks that run in this scope are stored."""
        scope = self
        while not scope.outputs and scope.parent is not None:
            scope = scope.parent
        return scope


def set_path(old: Any, path: tuple[str, ...], value: Any) -> Any:
    """``old`` with ``value`` at ``path``; mappings on the way are copied, and made where there are none.

    Example:
        >>> set_path({"b": 1}, ("c", "d"), 2)
        {'b': 1, 'c': {'d': 2}}
    """
    if not path:
        return value
    top: dict[str, Any] = dict(old) if isinstance(old, Mapping) else {}
    place = top
    for name in path[:-1]:
        inner = place.get(name)
        place[name] = dict(inner) if isinstance(inner, Mapping) else {}
        place = place[name]
    place[path[-1]] = value
    return top
