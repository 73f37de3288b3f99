"""From a node to a task, and to lists of tasks.

Depth is bounded by the reader, so functions may call each other for tasks in tasks.
"""

from __future__ import annotations

from typing import Any

from fluxor_actors.definition.actions import parse_action
from fluxor_actors.definition.keys import ROLE_NAMES, TASK_KEYS, canonical, near_miss, suggest
from fluxor_actors.definition.looks import is_task_body, looks_like_task
from fluxor_actors.definition.model import Emit, Kind, OnCrash, Task, Template
from fluxor_actors.definition.nodes import (
    Entry,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    is_empty,
    kind_of,
    to_plain,
)
from fluxor_actors.definition.parameters import parse_parameters, parse_selector
from fluxor_actors.definition.parts import parse_approval, parse_await, parse_goto, parse_matrix, parse_retry
from fluxor_actors.definition.shapes import Shapes

__all__ = ["parse_body", "parse_task", "parse_tasks"]

_WORDS = canonical(TASK_KEYS)
_FREE = {"input", "with", "matrix", "tasks", "catch", "finally", "action"}
_PARAMETERS = {"init", "post"}


def parse_task(shapes: Shapes, name: str, node: Node, place: Node | Entry) -> Task:
    """The task ``name`` from its body. Null and an empty mapping are a task that does nothing."""
    if not isinstance(node, MappingNode):
        if not is_empty(node):
            shapes.error(f"task `{name}` is a mapping; found {kind_of(node)}", node)
        return Task(name=name, position=place.position)
    found, children = parse_body(shapes, node)
    values = _values(shapes, found)
    written = values.pop("name", None)
    for key, given in (("id", values.get("id")), ("name", written)):
        if given is not None and given != name:
            hint = "remove it; a label goes to `description`, the output's key to `namespace`"
            shapes.error(f"`{key}: {given}` differs from the task's name `{name}`", found[key], hint)
            values.pop(key, None)
    task = Task(name=name, tasks=children, position=place.position, **values)
    shapes.places.note(task, {key: entry.value for key, entry in found.items()})
    return task


def parse_tasks(shapes: Shapes, key: str, node: Node) -> tuple[Task, ...] | None:
    """The tasks of a mapping, or of a sequence whose items carry ``id`` or are single-key mappings. All names are free."""
    if isinstance(node, MappingNode):
        return tuple(parse_task(shapes.child(entry.key), entry.key, entry.value, entry) for entry in node.entries)
    if not isinstance(node, SequenceNode):
        shapes.wrong(key, "a mapping or a list of tasks", node, "for no tasks write {}" if is_empty(node) else "")
        return None
    found = []
    for item in node.items:
        task = _item(shapes, key, item)
        if task is not None:
            found.append(task)
    return tuple(found)


def parse_body(shapes: Shapes, node: MappingNode, *, root: bool = False) -> tuple[dict[str, Entry], tuple[Task, ...]]:
    """The reserved keys of a task's body, and its children: those under ``tasks``, and mappings under other keys."""
    found: dict[str, Entry] = {}
    children: list[Task] = []
    for entry in node.entries:
        word = _WORDS.get(entry.key.lower())
        if word is None:
            if _is_child(shapes, entry, root=root):
                children.append(parse_task(shapes.child(entry.key), entry.key, entry.value, entry))
        elif word in found:
            shapes.error(f"`{entry.key}` stands twice, in different case", entry, "remove one of them")
        elif word not in _FREE and _is_misplaced(word, entry.value):
            hint = f"a task of that name goes under `tasks:`, as tasks: {{{entry.key}: …}}"
            shapes.error(f"`{entry.key}` is a reserved key, not a task", entry, hint)
        elif word in ROLE_NAMES:
            found[word] = entry
            if isinstance(entry.value, MappingNode):
                children.append(parse_task(shapes.child(entry.key), entry.key, entry.value, entry))
            else:
                shapes.wrong(entry.key, "a task: a mapping", entry.value)
        else:
            found[word] = entry
            if word == "tasks":
                children.extend(parse_tasks(shapes, "tasks", entry.value) or ())
    if "input" in found and "with" in found:
        shapes.error("`input` and `with` are the same key", found["with"], "remove one of them")
    return found, tuple(children)


def _is_misplaced(word: str, value: Node) -> bool:
    if word in _PARAMETERS:
        return is_task_body(value)
    # Below `template` and `emit` there is a task in any case.
    return looks_like_task(value, 0 if word in {"template", "emit"} else 1)


def _is_child(shapes: Shapes, entry: Entry, *, root: bool) -> bool:
    value = entry.value
    if isinstance(value, MappingNode) or (root and is_empty(value)):
        near = near_miss(entry.key, TASK_KEYS)
        bare = not isinstance(value, MappingNode) or not value.entries
        if near and not looks_like_task(value) and not (root and bare):
            hint = f"did you mean `{near}`? A task of that name goes under `tasks:`"
            shapes.error(f"unknown key `{entry.key}`", entry, hint)
            return False
        return True
    near = suggest(entry.key, TASK_KEYS)
    hint = f"did you mean `{near}`?" if near else "a task is a mapping; data for an action goes under `input`"
    shapes.error(f"unknown key `{entry.key}`: {kind_of(value)}", entry, hint)
    return False


def _item(shapes: Shapes, key: str, item: Node) -> Task | None:
    if not isinstance(item, MappingNode) or not item.entries:
        shapes.error(
            f"an item of `{key}` is a task; found {kind_of(item)}", item, "write `- id: name` or `- name: {…}`"
        )
        return None
    named = {entry.key.lower(): entry for entry in item.entries if entry.key.lower() in {"id", "name"}}
    carrier = next((named[word] for word in ("id", "name") if word in named and _is_text(named[word].value)), None)
    if carrier is not None:
        name = shapes.name(carrier.key, carrier.value)
        return None if name is None else parse_task(shapes.child(name), name, item, item)
    if len(item.entries) == 1:
        entry = item.entries[0]
        if isinstance(entry.value, MappingNode) or is_empty(entry.value):
            return parse_task(shapes.child(entry.key), entry.key, entry.value, entry)
    shapes.error(f"an item of `{key}` has no `id`", item, "write `- id: name`, or a single key with the task under it")
    return None


def _is_text(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value is not None


def _one_task(shapes: Shapes, key: str, node: Node) -> Task | None:
    if isinstance(node, MappingNode):
        carried = any(entry.key.lower() == "id" and _is_text(entry.value) for entry in node.entries)
        first = node.entries[0].value if len(node.entries) == 1 else None
        if carried or isinstance(first, MappingNode) or (first is not None and is_empty(first)):
            return _item(shapes, key, node)
    shapes.wrong(key, "one task, a single-key mapping name: task", node, "write task: {work: {action: service:method}}")
    return None


def _values(shapes: Shapes, found: dict[str, Entry]) -> dict[str, Any]:
    """The fields of a task from its reserved keys."""
    nodes = {key: entry.value for key, entry in found.items()}
    values: dict[str, Any] = {
        "action": parse_action(shapes, nodes.get("action"), nodes.get("service")),
    }
    given = nodes.get("input", nodes.get("with"))
    if given is not None:
        values["input"] = to_plain(given)
        action = values["action"]
        if action is not None and action.input is not None:
            shapes.error("`input` stands in `action` and beside it", given, "remove one of them")
    for key, node in nodes.items():
        reader = _READERS.get(key)
        if reader:
            field, read = reader
            values[field] = read(shapes, key, node)
    return {key: value for key, value in values.items() if value is not None}


def _template(shapes: Shapes, key: str, node: Node) -> Template | None:
    fields = shapes.fields(key, node, ("selector", "task"))
    if fields is None:
        return None
    for missing in ("selector", "task"):
        if missing not in fields:
            shapes.error(f"`template` has no `{missing}`", node, "write template: {selector: […], task: {…}}")
    selector = parse_selector(shapes, "selector", fields["selector"].value) if "selector" in fields else None
    task = _one_task(shapes, "task", fields["task"].value) if "task" in fields else None
    if task is None or not selector:
        return None
    return Template(selector=selector, task=task, position=node.position)


def _emit(shapes: Shapes, key: str, node: Node) -> Emit | None:
    fields = shapes.fields(key, node, ("forEach", "as", "task"))
    if fields is None:
        return None
    for missing in ("forEach", "task"):
        if missing not in fields:
            shapes.error(f"`emit` has no `{missing}`", node, 'write emit: {forEach: "${list}", as: item, task: {…}}')
    source = fields.get("forEach")
    if source is not None and (isinstance(source.value, MappingNode) or is_empty(source.value)):
        shapes.wrong("emit.forEach", "an expression or a list", source.value)
        source = None
    task = _one_task(shapes, "task", fields["task"].value) if "task" in fields else None
    name = shapes.name("emit.as", fields["as"].value) if "as" in fields else "item"
    if task is None or source is None or name is None:
        return None
    made = Emit(for_each=to_plain(source.value), as_=name, task=task, position=node.position)
    shapes.places.note(made, {word: entry.value for word, entry in fields.items()})
    return made


_READERS: dict[str, tuple[str, Any]] = {
    "id": ("id", Shapes.name),
    "name": ("name", Shapes.text),
    "namespace": ("namespace", Shapes.name),
    "typeName": ("type_name", Shapes.text),
    "description": ("description", Shapes.text),
    "init": ("init", parse_parameters),
    "post": ("post", parse_parameters),
    "when": ("when", Shapes.name),
    "dependsOn": ("depends_on", Shapes.names),
    "kind": ("kind", lambda shapes, key, node: shapes.choice(key, node, Kind)),
    "async": ("async_", Shapes.truth),
    "concurrency": ("concurrency", lambda shapes, key, node: shapes.integer(key, node, 1)),
    "template": ("template", _template),
    "emit": ("emit", _emit),
    "await": ("await_", parse_await),
    "matrix": ("matrix", parse_matrix),
    "goto": ("goto", parse_goto),
    "retry": ("retry", parse_retry),
    "timeout": ("timeout", Shapes.duration),
    "heartbeatTimeout": ("heartbeat_timeout", Shapes.duration),
    "scheduleIn": ("schedule_in", Shapes.duration),
    "autoPause": ("auto_pause", Shapes.truth),
    "approval": ("approval", parse_approval),
    "onCrash": ("on_crash", lambda shapes, key, node: shapes.choice(key, node, OnCrash)),
}
