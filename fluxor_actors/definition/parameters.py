"""Parameters: the forms of a name, read and written.

Example:
    >>> parse_name("orders[[]shop.Order](env/ORDERS)")
    ParameterName(name='orders', append=False, type='[]shop.Order', kind='env', location='ORDERS')
    >>> format_name(Parameter(name="list", append=True))
    'list[]'
"""

from __future__ import annotations

import re
from functools import partial

from attrs import asdict, frozen

from fluxor_actors.definition.model import Input, Parameter
from fluxor_actors.definition.nodes import Entry, Node, SequenceNode, is_empty, to_plain
from fluxor_actors.definition.shapes import Shapes

__all__ = ["KINDS", "ParameterName", "format_name", "parse_inputs", "parse_name", "parse_parameters", "parse_selector"]

KINDS = ("env", "state", "config")
_NAME = re.compile(r"(?P<name>[^\[\]()]*)(?P<rest>.*)", re.DOTALL)


@frozen
class ParameterName:
    """What a parameter's name says."""

    name: str
    append: bool = False
    type: str | None = None
    kind: str | None = None
    location: str | None = None


def parse_name(text: str) -> ParameterName:
    """Read ``name``, ``name[]``, ``a.b.c`` or ``name[Type](kind/location)``.

    Raises:
        ValueError: it has none of these forms.
    """
    match = _NAME.fullmatch(text)
    assert match
    name, rest = match.group("name"), match.group("rest")
    if not name or name != name.strip() or not all(part.strip() for part in name.split(".")):
        raise ValueError(f"`{text}` is not a parameter's name; write name, name[], a.b.c or name[Type](kind/location)")
    if not rest:
        return ParameterName(name)
    if rest == "[]":
        return ParameterName(name, append=True)
    end = _closing(rest)
    if end < 2:
        raise ValueError(f"`{text}` has no type; write name[Type](kind/location)")
    type_text, rest = rest[1:end], rest[end + 1 :]
    if not rest:
        return ParameterName(name, type=type_text)
    if not rest.startswith("(") or not rest.endswith(")"):
        raise ValueError(f"`{text}`: after the type only (kind/location) may follow")
    kind, _, location = rest[1:-1].partition("/")
    if kind and kind.lower() not in KINDS:
        raise ValueError(f"`{text}`: unknown kind {kind!r}; known are {', '.join(KINDS)}, or none")
    if kind and not location:
        raise ValueError(f"`{text}`: {kind} needs a location; write ({kind}/name)")
    return ParameterName(name, type=type_text, kind=kind.lower() or None, location=location or None)


def format_name(parameter: Parameter) -> str:
    """The name as it is written in a document."""
    text = parameter.name
    if parameter.append:
        return f"{text}[]"
    if parameter.type is not None:
        text += f"[{parameter.type}]"
        if parameter.kind or parameter.location:
            text += f"({parameter.kind or ''}/{parameter.location or ''})"
    return text


def parse_parameters(shapes: Shapes, key: str, node: Node) -> tuple[Parameter, ...] | None:
    """The parameters of ``init`` or ``post``."""
    listed = isinstance(node, SequenceNode)
    entries = shapes.mapping(key, node, "write `name: value` pairs, not a list" if listed else "")
    if entries is None:
        return None
    return tuple(
        parameter
        for entry in entries
        if (parameter := _parameter(shapes, key, entry.key, entry, entry.value)) is not None
    )


def parse_selector(shapes: Shapes, key: str, node: Node) -> tuple[Parameter, ...] | None:
    """The list of ``{name, value}`` of a template."""
    if not isinstance(node, SequenceNode):
        shapes.wrong(key, "a list of {name, value}", node)
        return None
    if not node.items:
        shapes.error(f"`{key}` is empty", node, 'name the items: [{name: item, value: "${items}"}]')
        return None
    found = []
    for item in node.items:
        fields = shapes.fields(key, item, ("name", "value"))
        if fields is None:
            continue
        if "name" not in fields or "value" not in fields:
            shapes.error(f"an entry of `{key}` has `name` and `value`", item)
            continue
        name = shapes.name("name", fields["name"].value)
        if name is not None:
            parameter = _parameter(shapes, key, name, fields["name"].value, fields["value"].value)
            if parameter is not None:
                found.append(parameter)
    return tuple(found)


def parse_inputs(shapes: Shapes, key: str, node: Node) -> tuple[Input, ...] | None:
    """The declared inputs of a document."""
    entries = shapes.mapping(key, node)
    if entries is None:
        return None
    found = []
    for entry in entries:
        where = f"{key}.{entry.key}"
        values: dict[str, object] = {}
        fields: dict[str, Entry] = {}
        if not is_empty(entry.value):
            hint = "write {type: string} or {required: true}"
            found_fields = shapes.fields(where, entry.value, ("type", "required", "default", "description"), hint)
            if found_fields is None:
                continue
            fields = found_fields
            values.update(shapes.collect(fields, type=shapes.name, description=shapes.text))
            values.update(shapes.collect(fields, required=shapes.truth))
            if "default" in fields:
                values["default"] = to_plain(fields["default"].value)
        try:
            name = parse_name(entry.key)
        except ValueError:
            name = ParameterName("", append=True)
        if name != ParameterName(entry.key) or "." in entry.key:
            shapes.error(f"`{entry.key}` is not an input's name", entry, "a name without dots, brackets and blanks")
            continue
        made = Input(name=entry.key, position=entry.position, **values)  # type: ignore[arg-type] # checked by shapes
        shapes.places.note(made, {part: each.value for part, each in fields.items()})
        found.append(made)
    return tuple(found)


def _parameter(shapes: Shapes, key: str, name: str, place: object, node: Node) -> Parameter | None:
    position = getattr(place, "position", node.position)
    report = partial(shapes.problems.error, position=position, task=shapes.task)
    try:
        parsed = parse_name(name)
    except ValueError as error:
        report(f"`{key}`: {error}")
        return None
    if parsed.append and key != "post":
        report(f"`{key}`: `{name}` appends, which only `post` can", hint=f"write `{parsed.name}`")
        return None
    made = Parameter(value=to_plain(node), position=position, **asdict(parsed))
    shapes.places.note(made, {"value": node})
    return made


def _closing(text: str) -> int:
    """The place of the bracket that closes the one at the start of ``text``; -1 when there is none."""
    depth = 0
    for index, letter in enumerate(text):
        depth += {"[": 1, "]": -1}.get(letter, 0)
        if depth == 0:
            return index
        if letter == "(":
            break
    return -1
