"""Actions as lines and as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import NoneType
from typing import Any

from fluxor_actors.actions import BoundMethod
from fluxor_actors.actions.fields import camel_case, is_record, record_fields
from fluxor_actors.cli.text import printable

__all__ = ["action_data", "action_lines"]

_MODULE = re.compile(r"(?<![\w.])(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])")


def action_data(method: BoundMethod) -> dict[str, Any]:
    """One action for programs. ``input``: its fields; null where it takes none, or anything."""
    signature = method.signature
    fields = None
    if is_record(signature.input):
        fields = [
            {"name": camel_case(field.name), "type": type_name(field.type), "required": field.required}
            for field in record_fields(signature.input)
        ]
    return {
        "action": method.action,
        "service": method.service,
        "method": signature.name,
        "description": signature.description,
        "takes": type_name(signature.input) if signature.takes_input and fields is None else None,
        "input": fields,
        "output": type_name(signature.output),
    }


def action_lines(methods: Iterable[BoundMethod]) -> list[str]:
    """Two lines for each action: what it takes and gives, and what it does. They are never cut."""
    lines = []
    for method in methods:
        lines.append(printable(f"{method.action}{_shape(method)}"))
        if method.signature.description:
            lines.append(printable(f"    {method.signature.description}"))
    return lines


def _shape(method: BoundMethod) -> str:
    data = action_data(method)
    if data["input"] is None:
        inside = f"({data['takes']})" if data["takes"] else "()"
    else:
        fields = (f"{field['name']}{'' if field['required'] else '?'}: {field['type']}" for field in data["input"])
        inside = f"({', '.join(fields)})"
    return f"{inside} -> {data['output']}"


def type_name(kind: Any) -> str:
    """A type as one writes it, without the modules.

    Example:
        >>> type_name(dict[str, Any] | None), type_name(int), type_name(NoneType)
        ('dict[str, Any] | None', 'int', 'None')
    """
    if kind is None or kind is NoneType:
        return "None"
    if isinstance(kind, type) and not getattr(kind, "__args__", ()):
        return kind.__name__
    return _MODULE.sub("", str(kind))
