"""What an expression is: a tree of frozen nodes.

Each node knows the ``position`` of its place in the source and its ``depth``; neither counts in comparisons. A chain of
operators of one level (``a + b - c``), and of ``.field`` and ``[index]`` steps, is one level deep however long it is: what
walks a tree follows the left side of such a chain in a loop.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from attrs import field, frozen

__all__ = [
    "LEVELS",
    "Binary",
    "Call",
    "Conditional",
    "Field",
    "Index",
    "ListOf",
    "Literal",
    "MappingOf",
    "Match",
    "Name",
    "Node",
    "Unary",
]

LEVELS = {
    "||": 2,
    "&&": 3,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "not in", "contains", "not_contains"), 5),
    **dict.fromkeys("+-", 6),
    **dict.fromkeys("*/%", 7),
}
"""How tightly each operator binds, as numbered in the documentation."""


def _position() -> Any:
    return field(default=0, eq=False, repr=False, kw_only=True)


def _depth() -> Any:
    return field(init=False, eq=False, repr=False)


def _deepest(*nodes: Node) -> int:
    return 1 + max((node.depth for node in nodes), default=0)


@frozen
class Literal:
    """A null, boolean, number or text."""

    value: bool | int | float | str | None
    position: int = _position()
    depth: int = field(default=1, init=False, eq=False, repr=False)


@frozen
class Name:
    """The first name of a path; with ``session``, looked up in the session: ``$.name``."""

    name: str
    session: bool = False
    position: int = _position()
    depth: int = field(default=1, init=False, eq=False, repr=False)


@frozen
class Field:
    """``target.name``."""

    target: Node
    name: str
    position: int = _position()
    depth: int = _depth()

    @depth.default
    def _(self) -> int:
        return self.target.depth + (not isinstance(self.target, Field | Index))


@frozen
class Index:
    """``target[index]``."""

    target: Node
    index: Node
    position: int = _position()
    depth: int = _depth()

    @depth.default
    def _(self) -> int:
        return max(self.target.depth + (not isinstance(self.target, Field | Index)), self.index.depth + 1)


@frozen
class Call:
    """``function(arguments…)``; ``is nil`` and ``matcher.contains`` are function names too."""

    function: str
    arguments: tuple[Node, ...] = ()
    position: int = _position()
    depth: int = _depth()

    @depth.default
    def _(self) -> int:
        return _deepest(*self.arguments)


@frozen
class Unary:
    """``!operand`` or ``-operand``."""

    operator: str
    operand: Node
    position: int = _position()
    depth: int = _depth()

    @depth.default
    def _(self) -> int:
        return _deepest(self.operand)


@frozen
class Binary:
    """``left operator right``, for each operator in `LEVELS`."""

    operator: str
    left: Node
    right: Node
    position: int = _position()
    depth: int = _depth()

    @depth.default
    def _(self) -> int:
        left = self.left
        same = isinstance(left, Match) and LEVELS[self.operator] == 5
        same = same or (isinstance(left, Binary) and LEVELS[left.operator] == LEVELS[self.operator])
        return max(left.depth + (not same), self.right.depth + 1)


@frozen
class Match:
    """``subject ~/pattern/``, or with ``!~`` when ``negated``."""

    subject: Node
    pattern: str
    negated: bool = False
    position: int = _position()
    depth: int = _depth()

    @depth.default
    def _(self) -> int:
        return _deepest(self.subject)


@frozen
class Conditional:
    """``condition ? yes : no``."""

    condition: Node
    yes: Node
    no: Node
    position: int = _position()
    depth: int = _depth()

    @depth.default
    def _(self) -> int:
        return _deepest(self.condition, self.yes, self.no)


@frozen
class ListOf:
    """``[a, b]``."""

    items: tuple[Node, ...] = ()
    position: int = _position()
    depth: int = _depth()

    @depth.default
    def _(self) -> int:
        return _deepest(*self.items)


@frozen
class MappingOf:
    """``{a: 1}``."""

    entries: tuple[tuple[str, Node], ...] = ()
    position: int = _position()
    depth: int = _depth()

    @depth.default
    def _(self) -> int:
        return _deepest(*(node for _, node in self.entries))


Node: TypeAlias = Literal | Name | Field | Index | Call | Unary | Binary | Match | Conditional | ListOf | MappingOf
