"""YAML to nodes, from parser events and without recursion.

PyYAML's own constructors recurse, and its composer in C crashes the host on deep input; only its scanner and parser are
used here, and they stop as soon as a limit is passed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import define, field

from fluxor_actors.definition.limits import DEEP_HINT, MAX_ALIAS_CHARACTERS, MAX_ALIAS_NODES, MAX_DEPTH
from fluxor_actors.definition.merge import merge_entries
from fluxor_actors.definition.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode
from fluxor_actors.definition.position import Position
from fluxor_actors.definition.scalars import resolve_plain
from fluxor_actors.definition.text_check import unusable_character
from fluxor_actors.definition.yaml_hints import character_place, syntax_hint

if TYPE_CHECKING:
    from fluxor_actors.definition.problems import Problems

__all__ = ["read_yaml"]

_CORE = "tag:yaml.org,2002:"
_TAGS = {
    "scalar": {"!", f"{_CORE}str", f"{_CORE}int", f"{_CORE}float", f"{_CORE}bool", f"{_CORE}null"},
    "sequence": {"!", f"{_CORE}seq"},
    "mapping": {"!", f"{_CORE}map"},
}
_NATIVE: dict[str, tuple[type, ...]] = {
    f"{_CORE}int": (int,),
    f"{_CORE}float": (int, float),
    f"{_CORE}bool": (bool,),
    f"{_CORE}null": (type(None),),
}


class _StopError(Exception):
    """Reading cannot go on; the reason is among the problems."""


@define(eq=False)
class _Open:
    """A sequence or mapping whose end has not been read."""

    mapping: bool
    line: int
    column: int
    anchor: str | None
    items: list[Node] = field(factory=list)
    entries: list[Entry] = field(factory=list)
    keys: set[str] = field(factory=set)
    key: ScalarNode | None = None
    key_plain: bool = False
    skip_key: bool = False


def read_yaml(text: str, source: str, problems: Problems) -> Node | None:
    """The root node, or None for an empty document. Whatever is wrong goes to ``problems``."""
    import yaml  # heavy: only when a document is read

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(source, problems)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark, begun = error.problem_mark or error.context_mark, error.context_mark
        position = Position(mark.line + 1, mark.column + 1, source) if mark else Position(1, 1, source)
        context = error.context or ""
        if context and begun and mark and begun.line < mark.line:
            # What is not closed is noticed late: where it begins tells more than where that is.
            context += f" that begins on line {begun.line + 1}"
        message = " ".join(part for part in (context, error.problem) if part)
        if "maximum nesting depth" in message:
            # libyaml has a limit of its own, and may come to it before its first event.
            problems.error(f"nested deeper than {MAX_DEPTH} levels", position, hint=DEEP_HINT)
            return builder.root
        problems.error(f"not valid YAML: {message}", position, hint=syntax_hint(text, position.line, message))
    except yaml.YAMLError as error:
        position, hint = character_place(text, source)
        problems.error(f"not valid YAML: {str(error).splitlines()[0]}", position, hint=hint)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        column = error.start - text.rfind("\n", 0, error.start)
        problems.error("a lone surrogate is not text", Position(line, column, source))
    except _StopError:
        pass
    return builder.root


class _Builder:
    def __init__(self, source: str, problems: Problems) -> None:
        self.root: Node | None = None
        self._source = source
        self._problems = problems
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._handlers: dict[str, Callable[[Any], None]] = {
            "DocumentStartEvent": self._document,
            "SequenceStartEvent": partial(self._start, mapping=False),
            "MappingStartEvent": partial(self._start, mapping=True),
            "SequenceEndEvent": self._end,
            "MappingEndEvent": self._end,
            "ScalarEvent": self._scalar,
            "AliasEvent": self._alias,
        }
        self._documents = 0
        self._alias_nodes = 0
        self._alias_characters = 0

    def take(self, event: Any) -> None:
        handler = self._handlers.get(type(event).__name__)
        if handler:
            handler(event)

    def _stop(self, message: str, event: Any, hint: str = "") -> None:
        self._error(message, event, hint)
        raise _StopError

    def _error(self, message: str, event: Any, hint: str = "") -> None:
        self._problems.error(message, self._position(event), hint=hint)

    def _position(self, event: Any) -> Position:
        return Position(event.start_mark.line + 1, event.start_mark.column + 1, self._source)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop("a second document in one text", event, "one text holds one workflow; remove the `---`")
        if event.version and event.version[0] != 1:
            self._error(f"YAML version {event.version} is not known", event, "remove the `%YAML` line")

    def _start(self, event: Any, *, mapping: bool) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._stop(f"nested deeper than {MAX_DEPTH} levels", event, DEEP_HINT)
        self._check_tag(event, "mapping" if mapping else "sequence")
        if self._open and self._open[-1].mapping and self._open[-1].key is None and not self._open[-1].skip_key:
            if not any(opened.line < 0 for opened in self._open):
                self._error("a key is not text", event, "quote the key")
            self._open[-1].skip_key = True
            opened = _Open(mapping, 0, 0, None)
            opened.line = -1
            self._open.append(opened)
            return
        mark = event.start_mark
        if event.anchor:
            self._anchors.pop(event.anchor, None)
        self._open.append(_Open(mapping, mark.line + 1, mark.column + 1, event.anchor))

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        if done.line < 0:
            return
        node: Node
        if done.mapping:
            entries = merge_entries(done.entries, self._problems)
            node = MappingNode(entries, done.line, done.column, self._source)
        else:
            node = SequenceNode(tuple(done.items), done.line, done.column, self._source)
        if done.anchor:
            self._anchors[done.anchor] = node
        self._add(node, event)

    def _scalar(self, event: Any) -> None:
        self._check_tag(event, "scalar")
        text = event.value
        plain = event.implicit[0]
        bad = unusable_character(text)
        if bad:
            self._error(f"{bad} is not text that can be stored", event)
        mark = event.start_mark
        is_key = bool(self._open) and self._open[-1].mapping and self._open[-1].key is None
        value: Any = text
        if plain and not is_key and not event.tag:
            try:
                value = resolve_plain(text)
            except ValueError as error:
                self._error(str(error), event, "quote it if it is meant as text")
        elif event.tag in _NATIVE:
            value = self._tagged(event)
        node = ScalarNode(value, text, mark.line + 1, mark.column + 1, self._source)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._add(node, event, plain=plain)

    def _tagged(self, event: Any) -> object:
        try:
            value = resolve_plain(event.value)
        except ValueError:
            value = event.value
        if type(value) not in _NATIVE[event.tag]:
            self._error(f"{event.value!r} is not what its tag {event.tag.replace(_CORE, '!!')} says", event)
        return float(value) if event.tag.endswith("float") and isinstance(value, int) else value

    def _alias(self, event: Any) -> None:
        name = event.anchor
        if any(opened.anchor == name for opened in self._open):
            self._stop(
                f"alias *{name} stands inside the value that it repeats", event, "an alias cannot contain itself"
            )
        node = self._anchors.get(name)
        if node is None:
            self._stop(f"alias *{name} has no anchor &{name} before it", event, "quote it if it is meant as text")
            return
        if len(self._open) + node.height > MAX_DEPTH:
            self._stop(f"nested deeper than {MAX_DEPTH} levels by alias *{name}", event, DEEP_HINT)
        self._alias_nodes += node.size
        self._alias_characters += node.weight
        if self._alias_nodes > MAX_ALIAS_NODES or self._alias_characters > MAX_ALIAS_CHARACTERS:
            self._stop("the aliases repeat too much", event, f"at most {MAX_ALIAS_NODES:,} values are repeated")
        self._add(node, event)

    def _add(self, node: Node, event: Any, *, plain: bool = False) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if not parent.mapping:
            parent.items.append(node)
        elif parent.skip_key:
            parent.skip_key = False
        elif parent.key is None:
            if not isinstance(node, ScalarNode):
                self._error("a key is not text", event, "quote the key")
                parent.skip_key = True
                return
            mark = event.start_mark
            parent.key = ScalarNode(node.text, node.text, mark.line + 1, mark.column + 1, self._source)
            parent.key_plain = plain
        else:
            self._add_entry(parent, parent.key, node)

    def _add_entry(self, parent: _Open, key: ScalarNode, node: Node) -> None:
        parent.key = None
        if key.text in parent.keys:
            first = next(entry for entry in parent.entries if entry.key == key.text)
            message = f"duplicate key `{key.text}`; the first is on line {first.line}"
            self._problems.error(message, key.position, hint="remove or rename one")
            return
        parent.keys.add(key.text)
        parent.entries.append(Entry(key.text, node, key.line, key.column, self._source, parent.key_plain))

    def _check_tag(self, event: Any, kind: str) -> None:
        tag = event.tag
        if tag is None or tag in _TAGS[kind]:
            return
        shown = tag.replace(_CORE, "!!")
        text = f"{shown} {event.value}".strip() if kind == "scalar" else shown
        self._error(f"unknown tag {shown}", event, f'quote it if it is meant as text: "{text}"')
