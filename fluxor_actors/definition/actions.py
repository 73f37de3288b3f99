"""The ways to name an action: ``service:method``, a mapping, or ``service`` beside ``action``."""

from __future__ import annotations

from fluxor_actors.definition.model import Action
from fluxor_actors.definition.nodes import MappingNode, Node, to_plain
from fluxor_actors.definition.shapes import Shapes

__all__ = ["parse_action"]

_FORM = "write `action: service:method`"


def parse_action(shapes: Shapes, node: Node | None, service: Node | None) -> Action | None:
    """The action of a task, from what stands under ``action`` and under ``service``."""
    if node is None:
        if service is not None:
            shapes.error("`service` without `action`", service, f"{_FORM}, or `service: …` beside `action: method`")
        return None
    if isinstance(node, MappingNode):
        return _from_mapping(shapes, node, service)
    text = shapes.name("action", node)
    if text is None:
        return None
    if service is not None:
        owner = shapes.name("service", service)
        if ":" in text:
            shapes.error(f"`action: {text}` names a service, and so does `service`", service, "remove one of them")
            return None
        return None if owner is None else Action(service=owner, method=text, position=node.position)
    owner, _, method = text.rpartition(":")
    if not owner.strip() or not method.strip() or owner != owner.strip() or method != method.strip():
        shapes.error(f"`action` is service:method; found {text!r}", node, _near(text.strip()))
        return None
    return Action(service=owner, method=method, position=node.position)


def _near(text: str) -> str:
    if ":" in text:
        return _FORM
    service, dot, method = text.rpartition(".")
    return f"did you mean `{service}:{method}`?" if dot and service and method else f"{_FORM}, such as {text}:run"


def _from_mapping(shapes: Shapes, node: MappingNode, service: Node | None) -> Action | None:
    fields = shapes.fields("action", node, ("service", "method", "input", "with"), _FORM)
    if fields is None:
        return None
    if service is not None and "service" in fields:
        shapes.error("`service` stands in `action` and beside it", service, "remove one of them")
    if "input" in fields and "with" in fields:
        shapes.error("`input` and `with` are the same key", fields["with"], "remove one of them")
    names = shapes.collect(fields, service=shapes.name, method=shapes.name)
    if service is not None and "service" not in names:
        names |= shapes.collect({}, service=shapes.name)
        owner = shapes.name("service", service)
        if owner is not None:
            names["service"] = owner
    for missing in ("service", "method"):
        if missing not in names and missing not in fields:
            shapes.error(f"`action` has no `{missing}`", node, _FORM)
    if len(names) < 2:
        return None
    given = fields.get("input") or fields.get("with")
    made = Action(position=node.position, input=to_plain(given.value) if given else None, **names)
    if given:
        shapes.places.note(made, {"input": given.value})
    return made
