"""What is replaced in string values at load: ``${env.NAME}``, ``$path(rel)``, ``$import(file[:key.path])``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from attrs import define, evolve, field, frozen

from fluxor_actors.definition.limits import DEEP_HINT, MAX_DEPTH, MAX_IMPORTED_NODES
from fluxor_actors.definition.meta import join_location, parent_location
from fluxor_actors.definition.nodes import MappingNode, Node, ScalarNode, SequenceNode
from fluxor_actors.definition.problems import Problems
from fluxor_actors.definition.reader import decode, read
from fluxor_actors.errors import DefinitionError, ExpressionError, LocationError
from fluxor_actors.expression import Language

__all__ = ["Directives"]

_ENV = re.compile(r"\$\{env\.([A-Za-z_]\w*)\}", re.ASCII)
_MALFORMED = re.compile(r"(?<!\$)\$\{env\.")
_EXPANDED = {"input", "with", "init", "post"}
_PATH = re.compile(r"\$path\(([^()\n]*)\)")
_IMPORT = re.compile(r"\s*\$import\(([^()\n]*)\)\s*")
_TEXTS = (".txt", ".vm")

Fetch = Callable[[str], tuple[str, bytes]]
"""Reads a file: the location that was found, and its content. Raises `LocationError`."""


@define(eq=False)
class _Frame:
    """A sequence or mapping whose parts are being replaced."""

    node: SequenceNode | MappingNode
    expanded: bool
    done: list[Node] = field(factory=list)

    def below(self) -> bool:
        """Whether the next part stands in a value that is expanded when it is used."""
        if self.expanded or isinstance(self.node, SequenceNode):
            return self.expanded
        return self.node.entries[len(self.done)].key.lower() in _EXPANDED

    @property
    def children(self) -> tuple[Node, ...]:
        if isinstance(self.node, SequenceNode):
            return self.node.items
        return tuple(entry.value for entry in self.node.entries)

    def finished(self) -> Node:
        if all(old is new for old, new in zip(self.children, self.done, strict=True)):
            return self.node
        node = self.node
        if isinstance(node, SequenceNode):
            return SequenceNode(tuple(self.done), node.line, node.column, node.source)
        entries = tuple(evolve(entry, value=value) for entry, value in zip(node.entries, self.done, strict=True))
        return MappingNode(entries, node.line, node.column, node.source)


@frozen
class Directives:
    """Replaces directives in a tree, and in the trees that it imports.

    Attributes:
        fetch: reads files.
        environ: the environment variables.
        problems: takes what goes wrong.
    """

    fetch: Fetch
    environ: Mapping[str, str]
    problems: Problems
    _trees: dict[tuple[str, bool], Node | None] = field(factory=dict, repr=False)

    def apply(self, node: Node, location: str, chain: tuple[str, ...] = (), *, expanded: bool = False) -> Node:
        """The tree of the file ``location`` with every directive replaced.

        ``chain``: the files that import it. ``expanded``: it is imported into a value that is expanded when it is used.
        """
        files = (*chain, location)
        if not isinstance(node, (SequenceNode, MappingNode)):
            return self._scalar(node, files, expanded)
        # Aliased nodes are met several times; what they become is the same each time.
        known: dict[int, Node] = {}
        stack = [_Frame(node, expanded)]
        while True:
            frame = stack[-1]
            children = frame.children
            if len(frame.done) == len(children):
                finished = frame.finished()
                known[id(frame.node)] = finished
                stack.pop()
                if not stack:
                    return finished
                stack[-1].done.append(finished)
                continue
            child = children[len(frame.done)]
            if id(child) in known:
                frame.done.append(known[id(child)])
            elif isinstance(child, (SequenceNode, MappingNode)):
                stack.append(_Frame(child, frame.below()))
            else:
                frame.done.append(self._scalar(child, files, frame.below()))

    def check_size(self, node: Node) -> None:
        """Report a tree that imports have made too large or too deep."""
        if node.height > MAX_DEPTH:
            self.problems.error(
                f"with its imports, the document is nested deeper than {MAX_DEPTH} levels",
                node.position,
                hint=DEEP_HINT,
            )
        if node.size > MAX_IMPORTED_NODES:
            message = f"with its imports, the document has more than {MAX_IMPORTED_NODES:,} values"
            self.problems.error(message, node.position)

    def _scalar(self, node: ScalarNode, files: tuple[str, ...], expanded: bool) -> Node:
        text = node.value
        if not isinstance(text, str) or "$" not in text:
            return node
        found = _IMPORT.fullmatch(text)
        if found:
            return self._import(node, found.group(1).strip(), files, expanded)
        replaced = _ENV.sub(lambda match: self.environ.get(match.group(1), ""), text)
        replaced = _PATH.sub(lambda match: self._path(match, files[-1]), replaced)
        if expanded and _MALFORMED.search(replaced) and not _parses(replaced):
            # To be left as it is, it must not be taken for an expression later.
            replaced = _MALFORMED.sub("$${env.", replaced)
        if replaced == text:
            return node
        return ScalarNode(replaced, replaced, node.line, node.column, node.source)

    def _path(self, match: re.Match[str], location: str) -> str:
        relative = match.group(1).strip()
        return join_location(parent_location(location), relative) if relative else match.group()

    def _import(self, node: ScalarNode, target: str, files: tuple[str, ...], expanded: bool) -> Node:
        name, keys = _split(_ENV.sub(lambda match: self.environ.get(match.group(1), ""), target))
        if not name:
            self.problems.error("`$import` names no file", node.position, hint="write $import(file.yaml:key.path)")
            return node
        location = join_location(parent_location(files[-1]), name)
        try:
            found, content = self.fetch(location)
            if found in files:
                shown = " → ".join((*files[files.index(found) :], found))
                self.problems.error(f"the import goes round in a circle: {shown}", node.position)
                return node
            if len(files) > MAX_DEPTH // 2:
                self.problems.error(f"imports are nested deeper than {MAX_DEPTH // 2} files", node.position)
                return node
            if found.lower().endswith(_TEXTS):
                text = decode(content, found)
                return ScalarNode(text, text, node.line, node.column, node.source)
            tree = self._tree(found, content, files, expanded)
        except LocationError as error:
            self.problems.error(f"`$import`: {error}", node.position)
            return node
        except DefinitionError as error:
            self.problems.found.extend(error.problems)  # type: ignore[arg-type] # made by `Problems`, so each is a Problem
            return node
        return self._pick(node, tree, keys, found)

    def _tree(self, location: str, content: bytes, files: tuple[str, ...], expanded: bool) -> Node | None:
        key = (location, expanded)
        if key not in self._trees:
            tree = read(content, location, empty_ok=True)
            self._trees[key] = None if tree is None else self.apply(tree, location, files, expanded=expanded)
        return self._trees[key]

    def _pick(self, node: ScalarNode, tree: Node | None, keys: str, location: str) -> Node:
        current = tree
        for key in keys.split(".") if keys else ():
            if isinstance(current, SequenceNode) and key.isdigit() and int(key) < len(current.items):
                current = current.items[int(key)]
            elif isinstance(current, MappingNode) and current.get(key) is not None:
                current = current.get(key)
            else:
                known = (
                    ", ".join(entry.key for entry in current.entries[:10]) if isinstance(current, MappingNode) else ""
                )
                hint = f"known there are: {known}" if known else ""
                self.problems.error(f"`$import`: {location} has no `{key}` of `{keys}`", node.position, hint=hint)
                return node
        if current is None:
            return ScalarNode(None, "", node.line, node.column, node.source)
        if current.size > MAX_IMPORTED_NODES:
            self.problems.error(f"`$import`: more than {MAX_IMPORTED_NODES:,} values", node.position)
            return node
        return current


def _parses(text: str) -> bool:
    try:
        Language().value(text)
    except ExpressionError:
        return False
    return True


def _split(target: str) -> tuple[str, str]:
    """The file and the key path in ``file:key.path``; the colons of a URL, a drive and a port belong to the file."""
    unquoted = json.loads(target) if re.fullmatch(r'"[^"\\]*"', target) else target
    head, colon, keys = unquoted.rpartition(":")
    if not colon or "/" in keys or "\\" in keys:
        return unquoted, ""
    return head, keys
