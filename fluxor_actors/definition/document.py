"""From text to a workflow."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from fluxor_actors.definition.checks import Actions, check_workflow
from fluxor_actors.definition.keys import DOCUMENT_KEYS, canonical, suggest
from fluxor_actors.definition.model import Kind, Task, Workflow
from fluxor_actors.definition.nodes import Entry, MappingNode, Node, kind_of, to_plain
from fluxor_actors.definition.parameters import parse_inputs, parse_parameters
from fluxor_actors.definition.parts import parse_policy, parse_retry
from fluxor_actors.definition.places import Places
from fluxor_actors.definition.problems import Problems
from fluxor_actors.definition.reader import read
from fluxor_actors.definition.shapes import Shapes
from fluxor_actors.definition.task_parser import parse_body, parse_tasks
from fluxor_actors.definition.types import TypeRegistry
from fluxor_actors.expression import Language

__all__ = ["parse", "parse_node"]

_FOLDED = ("init", "post")


def parse(
    text: str | bytes,
    source: str = "",
    *,
    root_task_node_name: str = "pipeline",
    actions: Actions | None = None,
    types: TypeRegistry | None = None,
    language: Language | None = None,
) -> Workflow:
    """Read a workflow document in YAML or JSON, and check it.

    Warnings do not refuse a document; `validate` of the workflow tells them.

    Args:
        text: the document; bytes are UTF-8, or what their byte order mark says.
        source: a file's name or location, for messages; without a ``name`` in the document it also names the workflow.
        root_task_node_name: the key that holds the tasks.
        actions: the registered actions, to look up those that tasks name.
        types: the registered types, to look up those that parameters name.
        language: with the application's functions.

    Raises:
        DefinitionError: with every problem of the document, in its ``problems``.

    Example:
        >>> parse("pipeline: {greet: {action: 'printer:print', input: {message: hi}}}", "hello.yaml").name
        'hello'
    """
    node = read(text, source)
    assert node is not None
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(raw).hexdigest()
    return parse_node(
        node,
        source,
        digest,
        root_task_node_name=root_task_node_name,
        actions=actions,
        types=types,
        language=language,
    )


def parse_node(
    node: Node,
    source: str,
    digest: str,
    *,
    root_task_node_name: str = "pipeline",
    actions: Actions | None = None,
    types: TypeRegistry | None = None,
    language: Language | None = None,
) -> Workflow:
    """The workflow in a tree that has been read already; ``digest`` names it when nothing else does."""
    problems = Problems()
    shapes = Shapes(problems, Places())
    workflow = None
    if isinstance(node, MappingNode):
        workflow = _workflow(shapes, node, source, digest, root_task_node_name)
        check_workflow(workflow, problems, shapes.places, actions=actions, types=types, language=language)
    else:
        shapes.error(f"a workflow is a mapping; found {kind_of(node)}", node, "start with `pipeline:`")
    problems.raise_errors()
    assert workflow is not None
    return workflow


def _workflow(shapes: Shapes, node: MappingNode, source: str, digest: str, root: str) -> Workflow:
    found = _entries(shapes, node, root)
    entry = found.get("name")
    name = (shapes.name("name", entry.value) if entry else None) or _stem(source) or f"workflow-{digest[:8]}"
    inner = Shapes(shapes.problems, shapes.places, name)
    values: dict[str, Any] = {"name": name, "source": source or None, "position": node.position}
    for key, each in found.items():
        reader = _READERS.get(key)
        if reader:
            field, read_value = reader
            values[field] = read_value(inner, key, each.value)
    if root in found:
        for field, value in _pipeline(inner, root, found[root].value).items():
            if field == "init":
                values[field] = (*(values.get(field) or ()), *value)
            elif field == "post":
                # The root task's own comes first: the document's is evaluated when the root task has completed.
                values[field] = (*value, *(values.get(field) or ()))
            else:
                values[field] = value
    else:
        inner.error(f"the document has no `{root}`", node, "it holds the tasks, by name")
    workflow = Workflow(**{key: value for key, value in values.items() if value is not None})
    inner.places.note(workflow, {key: each.value for key, each in found.items()})
    return workflow


def _entries(shapes: Shapes, node: MappingNode, root: str) -> dict[str, Entry]:
    known = tuple(root if key == "pipeline" else key for key in DOCUMENT_KEYS)
    words = canonical(known)
    found: dict[str, Entry] = {}
    for entry in node.entries:
        word = words.get(entry.key.lower())
        if word is None:
            near = suggest(entry.key, known)
            hint = f"did you mean `{near}`?" if near else f"known are {', '.join(known)}"
            if not near and isinstance(entry.value, MappingNode) and root not in {each.lower() for each in found}:
                hint = f"tasks go under `{root}:`; {hint}"
            shapes.error(f"unknown key `{entry.key}`", entry, hint)
        elif word in found:
            shapes.error(f"`{entry.key}` stands twice, in different case", entry, "remove one of them")
        else:
            found[word] = entry
    return found


def _pipeline(shapes: Shapes, root: str, node: Node) -> dict[str, Any]:
    """The root task's fields, from one of the three forms."""
    if not isinstance(node, MappingNode):
        tasks = parse_tasks(shapes, root, node)
        return {"pipeline": tasks or ()}
    found, children = parse_body(shapes, node, root=True)
    values: dict[str, Any] = {"pipeline": children}
    for key, entry in found.items():
        if key == "kind":
            values["kind"] = shapes.choice(key, entry.value, Kind)
        elif key == "concurrency":
            values["concurrency"] = shapes.integer(key, entry.value, 1)
        elif key in _FOLDED:
            values[key] = parse_parameters(shapes, key, entry.value)
        elif key not in {"tasks", "catch", "finally"}:
            beside = key in DOCUMENT_KEYS
            hint = f"it stands beside `{root}`, at the top" if beside else "a task of that name goes under `tasks:`"
            shapes.error(f"`{entry.key}` cannot stand in `{root}`", entry, hint)
    return {key: value for key, value in values.items() if value is not None}


def _config(shapes: Shapes, key: str, node: Node) -> object:
    return to_plain(node) if shapes.mapping(key, node) is not None else None


def _dependencies(shapes: Shapes, key: str, node: Node) -> tuple[Task, ...] | None:
    return parse_tasks(shapes, key, node)


def _stem(source: str) -> str:
    """The name of a file, without its folder and extension, as far as it can be a task's name."""
    last = re.split(r"[/\\]", re.split(r"[?#]", source)[0].rstrip("/\\"))[-1]
    stem = last.rpartition(".")[0] or last
    return re.sub(r"[\[\]#/]+", "-", stem).strip()


_READERS: dict[str, tuple[str, Any]] = {
    "description": ("description", Shapes.text),
    "version": ("version", Shapes.text),
    "typeName": ("type_name", Shapes.text),
    "import": ("import_", Shapes.texts),
    "inputs": ("inputs", parse_inputs),
    "init": ("init", parse_parameters),
    "dependencies": ("dependencies", _dependencies),
    "post": ("post", parse_parameters),
    "config": ("config", _config),
    "policy": ("policy", parse_policy),
    "labels": ("labels", Shapes.texts),
    "retry": ("retry", parse_retry),
    "timeout": ("timeout", Shapes.duration),
    "autoPause": ("auto_pause", Shapes.truth),
}
