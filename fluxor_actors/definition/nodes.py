"""The tree that a document's text is read into: scalars, sequences and mappings, each with its place."""

from __future__ import annotations

from attrs import field, frozen

from fluxor_actors.definition.position import Position

__all__ = [
    "Entry",
    "MappingNode",
    "Node",
    "ScalarNode",
    "ScalarValue",
    "SequenceNode",
    "is_empty",
    "kind_of",
    "to_plain",
]

ScalarValue = str | int | float | bool | None


@frozen(eq=False)
class Entry:
    """One key of a mapping, as written, and its value. ``plain`` is whether the key stood without quotes."""

    key: str
    value: Node
    line: int
    column: int
    source: str = ""
    plain: bool = False

    @property
    def position(self) -> Position:
        return Position(self.line, self.column, self.source)


@frozen(eq=False)
class ScalarNode:
    """A single value: ``text`` as written, ``value`` as the core schema reads it."""

    value: ScalarValue
    text: str
    line: int
    column: int
    source: str = ""
    height: int = 0

    @property
    def size(self) -> int:
        """How many nodes there are, this one included, were every alias written out."""
        return 1

    @property
    def weight(self) -> int:
        """How many characters there are, were every alias written out."""
        return len(self.text) + 1

    @property
    def position(self) -> Position:
        return Position(self.line, self.column, self.source)


@frozen(eq=False)
class SequenceNode:
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int
    source: str = ""
    height: int = field(init=False)
    size: int = field(init=False)
    weight: int = field(init=False)

    @height.default
    def _height(self) -> int:
        return 1 + max((item.height for item in self.items), default=0)

    @size.default
    def _size(self) -> int:
        return 1 + sum(item.size for item in self.items)

    @weight.default
    def _weight(self) -> int:
        return 2 + sum(item.weight for item in self.items)

    @property
    def position(self) -> Position:
        return Position(self.line, self.column, self.source)


@frozen(eq=False)
class MappingNode:
    """A mapping. Keys are unique, in document order."""

    entries: tuple[Entry, ...]
    line: int
    column: int
    source: str = ""
    height: int = field(init=False)
    size: int = field(init=False)
    weight: int = field(init=False)

    @height.default
    def _height(self) -> int:
        return 1 + max((entry.value.height for entry in self.entries), default=0)

    @size.default
    def _size(self) -> int:
        return 1 + sum(entry.value.size for entry in self.entries)

    @weight.default
    def _weight(self) -> int:
        return 2 + sum(len(entry.key) + 1 + entry.value.weight for entry in self.entries)

    @property
    def position(self) -> Position:
        return Position(self.line, self.column, self.source)

    def get(self, key: str) -> Node | None:
        """The value under exactly that key."""
        return next((entry.value for entry in self.entries if entry.key == key), None)


Node = ScalarNode | SequenceNode | MappingNode


def kind_of(node: Node) -> str:
    """What a node is, in the words of error messages.

    Example:
        >>> kind_of(ScalarNode(3, "3", 1, 1))
        'the number 3'
    """
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    if isinstance(node.value, str):
        shown = node.value if len(node.value) <= 40 else node.value[:39] + "…"
        return f"the text {shown!r}"
    return f"the number {node.text[:40]}"


def is_empty(node: Node) -> bool:
    """Whether a node is nothing at all."""
    return isinstance(node, ScalarNode) and node.value is None


def to_plain(node: Node) -> object:
    """The node as plain data. Its depth is bounded by the reader, so the recursion is too."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [to_plain(item) for item in node.items]
    return {entry.key: to_plain(entry.value) for entry in node.entries}
