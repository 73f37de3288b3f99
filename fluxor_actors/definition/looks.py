"""Whether a mapping looks like a task: to tell a misspelt key from a child, and a misplaced child from a key."""

from __future__ import annotations

from fluxor_actors.definition.keys import TASK_KEYS, canonical
from fluxor_actors.definition.nodes import MappingNode, Node, ScalarNode, SequenceNode

__all__ = ["is_task_body", "looks_like_task"]

_WORDS = canonical(TASK_KEYS)
_MAPPINGS = {"template", "emit", "matrix", "init", "post", "approval", "retry", "tasks", "catch", "finally"}
_LISTS = {"tasks"}


def looks_like_task(node: Node, levels: int = 1) -> bool:
    """Whether a mapping has a key that only a task has, or holds a mapping that has one."""
    if not isinstance(node, MappingNode):
        return False
    for entry in node.entries:
        word, value = entry.key.lower(), entry.value
        if word == "action" and (isinstance(value, MappingNode) or (isinstance(value, ScalarNode) and value.text)):
            return True
        if word == "dependson" and isinstance(value, (ScalarNode, SequenceNode)):
            return True
        if word == "goto" and isinstance(value, (MappingNode, SequenceNode)):
            return True
        if word in _MAPPINGS and isinstance(value, MappingNode):
            return True
        if word in _LISTS and isinstance(value, SequenceNode):
            return True
        if levels and looks_like_task(value, levels - 1):
            return True
    return False


def is_task_body(node: Node) -> bool:
    """Whether a mapping can hardly be anything but a task: it names an action, and has no key that a task has not."""
    if not isinstance(node, MappingNode) or any(entry.key.lower() not in _WORDS for entry in node.entries):
        return False
    action = next((entry.value for entry in node.entries if entry.key.lower() == "action"), None)
    if isinstance(action, ScalarNode):
        service, _, method = action.text.partition(":")
        return bool(service and method) and " " not in action.text
    return isinstance(action, MappingNode)
