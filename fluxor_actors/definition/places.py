"""Where the parts of a parsed workflow stand in its text: known while it is parsed, not kept with it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from fluxor_actors.definition.nodes import MappingNode, Node, SequenceNode
from fluxor_actors.definition.position import Position

__all__ = ["Places"]


@frozen
class Places:
    """The node that each part of a model object was made from."""

    _nodes: dict[int, tuple[object, dict[str, Node]]] = field(factory=dict)

    def note(self, owner: object, nodes: dict[str, Node]) -> None:
        """Remember from which nodes the named parts of ``owner`` come."""
        self._nodes[id(owner)] = (owner, nodes)

    def has(self, owner: object, part: str) -> bool:
        """Whether a part is known to have been written."""
        noted = self._nodes.get(id(owner))
        return noted is not None and part in noted[1]

    def find(self, owner: object, part: str, path: Sequence[str | int] = ()) -> Position | None:
        """The place of a part, or of what stands at ``path`` in it; else that of ``owner`` itself."""
        noted = self._nodes.get(id(owner))
        node = noted[1].get(part) if noted else None
        if node is None:
            position: Position | None = getattr(owner, "position", None)
            return position
        for step in path:
            below = _step(node, step)
            if below is None:
                break
            node = below
        return node.position


def _step(node: Node, step: str | int) -> Node | None:
    if isinstance(node, MappingNode):
        return node.get(str(step))
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None
