"""The mappings under single keys of a task or document: retry, approval, await, goto, matrix, policy."""

from __future__ import annotations

from typing import Any

from fluxor_actors.definition.model import (
    Approval,
    Await,
    AwaitMode,
    Backoff,
    Matrix,
    Merge,
    OnExpire,
    PolicyRule,
    Retry,
    Transition,
)
from fluxor_actors.definition.nodes import MappingNode, Node, ScalarNode, SequenceNode, to_plain
from fluxor_actors.definition.shapes import Shapes

__all__ = ["parse_approval", "parse_await", "parse_goto", "parse_matrix", "parse_policy", "parse_retry"]

_RETRY = ("type", "maxRetries", "delay", "multiplier", "maxDelay", "jitter", "retryOn")
_APPROVAL = ("required", "approvers", "quorum", "expiresIn", "onExpire")
_AWAIT = ("mode", "timeout", "merge", "on", "signal")
_MATRIX_WORDS = {"include", "exclude", "failfast"}
_POLICY_MODES = ("auto", "ask", "deny")


def parse_retry(shapes: Shapes, key: str, node: Node) -> Retry | None:
    """A mapping of ``type``, ``maxRetries`` and so on."""
    hint = ""
    if isinstance(node, ScalarNode) and node.value is not None:
        kind = node.text.lower() if isinstance(node.value, str) else ""
        hint = f"write {{type: {kind}}}" if kind in set(Backoff) else "write {maxRetries: 3, delay: 1s}"
    found = shapes.fields(key, node, _RETRY, hint)
    if found is None:
        return None
    values: dict[str, Any] = {}
    for name, entry in found.items():
        value: Any = None
        if name == "type":
            value = shapes.choice("retry.type", entry.value, Backoff)
        elif name == "maxRetries":
            value = shapes.integer("retry.maxRetries", entry.value)
        elif name in {"delay", "maxDelay"}:
            value = shapes.duration(f"retry.{name}", entry.value)
        elif name == "retryOn":
            value = shapes.names("retry.retryOn", entry.value)
        elif name == "jitter":
            value = shapes.number("retry.jitter", entry.value, most=1.0)
        else:
            value = shapes.number("retry.multiplier", entry.value)
        if value is not None:
            values[_snake(name)] = value
    return Retry(position=node.position, **values)


def parse_approval(shapes: Shapes, key: str, node: Node) -> Approval | None:
    """A mapping of ``required``, ``approvers`` and so on."""
    hint = "write {required: true}" if isinstance(node, ScalarNode) else ""
    found = shapes.fields(key, node, _APPROVAL, hint)
    if found is None:
        return None
    values: dict[str, Any] = {}
    for name, entry in found.items():
        value: Any = None
        if name == "required":
            value = shapes.truth("approval.required", entry.value)
        elif name == "approvers":
            value = shapes.names("approval.approvers", entry.value)
        elif name == "quorum":
            value = shapes.integer("approval.quorum", entry.value, 1)
        elif name == "expiresIn":
            value = shapes.duration("approval.expiresIn", entry.value)
        else:
            value = shapes.choice("approval.onExpire", entry.value, OnExpire)
        if value is not None:
            values[_snake(name)] = value
    return Approval(position=node.position, **values)


def parse_await(shapes: Shapes, key: str, node: Node) -> Await | None:
    """``true``, or a mapping of ``mode``, ``merge`` and so on. ``false`` is as if it were left out."""
    if isinstance(node, ScalarNode) and isinstance(node.value, bool):
        return Await(position=node.position) if node.value else None
    if not isinstance(node, MappingNode):
        shapes.wrong(key, "true or a mapping", node, "write true, or {mode: first, timeout: 1m}")
        return None
    found = shapes.fields(key, node, _AWAIT) or {}
    values: dict[str, Any] = {}
    for name, entry in found.items():
        value: Any = None
        if name == "mode":
            value = shapes.choice("await.mode", entry.value, AwaitMode)
        elif name == "merge":
            value = shapes.choice("await.merge", entry.value, Merge)
        elif name == "timeout":
            value = shapes.duration("await.timeout", entry.value)
        else:
            value = shapes.name(f"await.{name}", entry.value)
        if value is not None:
            values[name] = value
    made = Await(position=node.position, **values)
    shapes.places.note(made, {name: entry.value for name, entry in found.items()})
    return made


def parse_goto(shapes: Shapes, key: str, node: Node) -> tuple[Transition, ...] | None:
    """One ``{when, task}``, or a list of them."""
    items = node.items if isinstance(node, SequenceNode) else (node,)
    found = []
    for item in items:
        text = item.text if isinstance(item, ScalarNode) and isinstance(item.value, str) else "name"
        fields = shapes.fields(key, item, ("when", "task"), f"write {{task: {text}}}")
        if fields is None:
            continue
        if "task" not in fields:
            shapes.error("`goto` has no `task`", item, "write {when: …, task: name}")
            continue
        task = shapes.name("goto.task", fields["task"].value)
        when = shapes.text("goto.when", fields["when"].value) if "when" in fields else None
        if task is not None:
            made = Transition(task=task, when=when, position=item.position)
            shapes.places.note(made, {name: entry.value for name, entry in fields.items()})
            found.append(made)
    return tuple(found)


def parse_matrix(shapes: Shapes, key: str, node: Node) -> Matrix | None:
    """Axes, and ``include``, ``exclude``, ``failFast`` among them."""
    entries = shapes.mapping(key, node, "write {axis: [values]}")
    if entries is None:
        return None
    axes: dict[str, tuple[Any, ...]] = {}
    values: dict[str, Any] = {}
    for entry in entries:
        word = entry.key.lower()
        if word == "failfast":
            fail_fast = shapes.truth("matrix.failFast", entry.value)
            values["fail_fast"] = True if fail_fast is None else fail_fast
        elif word in _MATRIX_WORDS:
            values[word] = _combinations(shapes, word, entry.value)
        elif isinstance(entry.value, SequenceNode):
            axes[entry.key] = tuple(to_plain(item) for item in entry.value.items)
        else:
            dynamic = isinstance(entry.value, ScalarNode) and "$" in entry.value.text
            advice = "a matrix is expanded at load; for a list made at run time use `template` or `emit`"
            shapes.wrong(f"matrix.{entry.key}", "a list of values", entry.value, advice if dynamic else "")
    if not axes and any(entry.key.lower() not in _MATRIX_WORDS for entry in entries):
        return None
    made = Matrix(axes=axes, position=node.position, **values)
    shapes.places.note(made, {entry.key: entry.value for entry in entries})
    return made


def _combinations(shapes: Shapes, word: str, node: Node) -> tuple[Any, ...]:
    if not isinstance(node, SequenceNode):
        shapes.wrong(f"matrix.{word}", "a list of {axis: value}", node)
        return ()
    found = []
    for item in node.items:
        if isinstance(item, MappingNode):
            found.append(to_plain(item))
        else:
            shapes.wrong(f"an entry of matrix.{word}", "a mapping {axis: value}", item)
    return tuple(found)


def parse_policy(shapes: Shapes, key: str, node: Node) -> PolicyRule | None:
    """A mapping of ``mode``, ``allow`` and ``block``."""
    hint = f"write {{mode: {node.text}}}" if isinstance(node, ScalarNode) and node.text in _POLICY_MODES else ""
    found = shapes.fields(key, node, ("mode", "allow", "block"), hint)
    if found is None:
        return None
    values: dict[str, Any] = {}
    for name, entry in found.items():
        value: Any
        if name == "mode":
            value = shapes.text("policy.mode", entry.value)
            if isinstance(entry.value, ScalarNode) and (value or "").lower() not in _POLICY_MODES:
                shapes.wrong("policy.mode", f"one of {', '.join(_POLICY_MODES)}", entry.value)
        else:
            value = shapes.names(f"policy.{name}", entry.value)
        if value is not None:
            values[name] = value.lower() if name == "mode" else value
    return PolicyRule(position=node.position, **values)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
