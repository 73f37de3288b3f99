"""The tasks of a document, as the model sees them. Documents are plain mappings in one form: children always stand under ``tasks``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field

__all__ = ["Node", "combinations", "resolve", "seconds", "tree_of"]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: Any) -> float:
    """A duration."""
    if isinstance(text, int | float):
        return float(text)
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|s|m|h)", text))


@define(eq=False)
class Node:
    """One task.

    Attributes:
        role: ``ordinary``, ``catch``, ``finally``, ``item`` (of a template, emit or matrix) or ``on demand`` (under ``dependencies``).
        children: those that take part in the ordinary order.
    """

    name: str
    id: str
    spec: Mapping[str, Any]
    parent: Node | None
    role: str = "ordinary"
    children: list[Node] = field(factory=list)
    catch: Node | None = None
    finally_: Node | None = None
    body: Node | None = None

    def get(self, key: str, default: Any = None) -> Any:
        return self.spec.get(key, default)

    @property
    def namespace(self) -> str:
        return str(self.get("namespace", self.name))

    @property
    def asynchronous(self) -> bool:
        """Of a template, ``async`` says how its items run."""
        return bool(self.get("async")) and "template" not in self.spec

    @property
    def detached(self) -> bool:
        return "emit" in self.spec and "await" not in self.spec

    @property
    def has_below(self) -> bool:
        """Whether others run below this one while it is under way."""
        return not self.detached and any(key in self.spec for key in ("tasks", "template", "emit", "matrix"))

    def contains(self, other: Node) -> bool:
        """Whether the other is inside this one."""
        return other.parent is self or (other.parent is not None and self.contains(other.parent))

    def towards(self, other: Node) -> Node:
        """The child that is, or contains, the other."""
        return next(each for each in self.inside() if each is other or each.contains(other))

    def inside(self) -> list[Node]:
        return [*self.children, *(each for each in (self.catch, self.finally_, self.body) if each is not None)]

    def walk(self) -> Iterator[Node]:
        yield self
        for each in self.inside():
            yield from each.walk()


def tree_of(document: Mapping[str, Any]) -> Node:
    """The tasks of a document. Its root is ``pipeline``, with what the document says about the whole."""
    spec = dict(document["pipeline"])
    for key in ("timeout", "post"):
        if key in document:
            spec[key] = document[key]
    root = Node(document["name"], document["name"], spec, None)
    _fill(root)
    for name, task in document.get("dependencies", {}).items():
        child = Node(name, f"{root.id}/{name}", task, root, "on demand")
        _fill(child)
        root.children.append(child)
    return root


def _fill(node: Node) -> None:
    if "matrix" in node.spec:
        keys = ("action", "input", "timeout", "retry", "tasks", "kind")
        node.body = Node(node.name, node.id, {key: node.spec[key] for key in keys if key in node.spec}, node, "item")
        _fill(node.body)
        return
    for role in ("template", "emit"):
        if role in node.spec:
            ((name, task),) = node.spec[role]["task"].items()
            node.body = Node(name, f"{node.id}/{name}", task, node, "item")
            _fill(node.body)
    for name, task in node.spec.get("tasks", {}).items():
        child = Node(name, f"{node.id}/{name}", task, node)
        _fill(child)
        if name in ("catch", "finally"):
            child.role = name
        if name == "catch":
            node.catch = child
        elif name == "finally":
            node.finally_ = child
        else:
            node.children.append(child)


def resolve(reference: str, node: Node) -> Node:
    """Which task a reference means: a full id, a sibling, one found going outwards, one that is unique."""
    root = node
    while root.parent is not None:
        root = root.parent
    everything = [each for each in root.walk() if each.parent is None or each.id != each.parent.id]
    found = [each for each in everything if each.id == reference]
    around = node.parent
    while not found and around is not None:
        found = [each for each in around.inside() if each.name == reference]
        around = around.parent
    found = found or [each for each in everything if each.name == reference]
    assert len(found) == 1, f"{reference} in {node.id}: {found}"
    return found[0]


def combinations(matrix: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a matrix is expanded to."""
    axes = {key: values for key, values in matrix.items() if key not in ("include", "exclude", "failFast")}
    made = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())] if axes else []
    made = [each for each in made if not any(out.items() <= each.items() for out in matrix.get("exclude", ()))]
    plain = [dict(each) for each in made]
    for more in matrix.get("include", ()):
        fitting = [
            each
            for each, original in zip(made, plain, strict=False)
            if all(original.get(key, value) == value for key, value in more.items())
        ]
        for each in fitting:
            each.update(more)
        if not fitting:
            made.append(dict(more))
    return made
