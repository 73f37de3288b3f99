"""Reads nodes as the shapes that keys want: text, truth, number, duration, names. What does not fit is a problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TypeVar

from attrs import frozen

from fluxor_actors.definition.keys import canonical, suggest
from fluxor_actors.definition.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode, kind_of
from fluxor_actors.definition.places import Places
from fluxor_actors.definition.problems import Problems
from fluxor_actors.durations import parse_duration

__all__ = ["Shapes"]

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


@frozen
class Shapes:
    """Reads the nodes of one task, whose path is in every problem. All answers are None for what does not fit."""

    problems: Problems
    places: Places
    task: str = ""

    def child(self, name: str) -> Shapes:
        """The same for a task below this one."""
        return Shapes(self.problems, self.places, f"{self.task}/{name}" if self.task else name)

    def error(self, message: str, node: Node | Entry, hint: str = "") -> None:
        """A problem at ``node``."""
        self.problems.error(message, node.position, self.task, hint)

    def wrong(self, key: str, expected: str, node: Node, hint: str = "") -> None:
        """A problem: the value of ``key`` has the wrong shape."""
        self.error(f"`{key}` is {expected}; found {kind_of(node)}", node, hint)

    def text(self, key: str, node: Node) -> str | None:
        """Text as written, also where YAML reads a number or a truth value."""
        if isinstance(node, ScalarNode):
            return None if node.value is None else node.text
        quote = isinstance(node, MappingNode)
        self.wrong(key, "text", node, "quote a text that starts with { or [" if quote else "")
        return None

    def name(self, key: str, node: Node) -> str | None:
        """Text that is not blank."""
        text = self.text(key, node)
        if isinstance(node, ScalarNode) and not (text or "").strip():
            self.wrong(key, "text that is not blank", node)
            return None
        return text

    def truth(self, key: str, node: Node) -> bool | None:
        """``true`` or ``false``."""
        if isinstance(node, ScalarNode) and isinstance(node.value, bool):
            return node.value
        worded = isinstance(node, ScalarNode) and node.text.lower() in {
            "yes",
            "no",
            "on",
            "off",
            "y",
            "n",
            "true",
            "false",
        }
        self.wrong(key, "true or false", node, "write true or false, without quotes" if worded else "")
        return None

    def integer(self, key: str, node: Node, least: int = 0) -> int | None:
        """A whole number of at least ``least``."""
        value = node.value if isinstance(node, ScalarNode) else None
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        self.wrong(key, f"a whole number from {least}", node)
        return None

    def number(self, key: str, node: Node, least: float = 0.0, most: float | None = None) -> float | None:
        """A number in a range."""
        value = node.value if isinstance(node, ScalarNode) else None
        if (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and least <= value <= (most or value) < 1e300
        ):
            return float(value)
        self.wrong(key, f"a number from {least:g}" + (f" to {most:g}" if most is not None else ""), node)
        return None

    def duration(self, key: str, node: Node) -> float | None:
        """Seconds."""
        if isinstance(node, ScalarNode):
            value = node.value
            try:
                return parse_duration(node.text if isinstance(value, str) else value)
            except ValueError as error:
                self.error(f"`{key}`: {error}", node)
                return None
        self.wrong(key, "a duration", node, "such as 1h30m, 500ms, PT5M or a number of seconds")
        return None

    def choice(self, key: str, node: Node, kind: type[E]) -> E | None:
        """One of a few words, in any case."""
        text = node.text if isinstance(node, ScalarNode) and node.value is not None else ""
        for member in kind:
            if member.value.lower() == text.lower():
                return member
        words = [member.value for member in kind]
        near = suggest(text, words) if text else ""
        self.wrong(key, f"one of {', '.join(words)}", node, f"did you mean {near}?" if near else "")
        return None

    def names(self, key: str, node: Node) -> tuple[str, ...] | None:
        """One name, or a list of them."""
        if isinstance(node, SequenceNode):
            found = [self.name(key, item) for item in node.items]
            return tuple(name for name in found if name is not None)
        if isinstance(node, ScalarNode):
            name = self.name(key, node)
            return None if name is None else (name,)
        self.wrong(key, "a name or a list of names", node)
        return None

    def mapping(self, key: str, node: Node, hint: str = "") -> tuple[Entry, ...] | None:
        """The entries of a mapping."""
        if isinstance(node, MappingNode):
            return node.entries
        self.wrong(key, "a mapping", node, hint)
        return None

    def texts(self, key: str, node: Node) -> dict[str, str] | None:
        """A mapping of text."""
        entries = self.mapping(key, node)
        if entries is None:
            return None
        found: dict[str, str] = {}
        for entry in entries:
            if isinstance(entry.value, ScalarNode):
                found[entry.key] = entry.value.text if entry.value.value is not None else ""
            else:
                self.wrong(f"{key}.{entry.key}", "text", entry.value)
        return found

    def fields(self, key: str, node: Node, known: Iterable[str], hint: str = "") -> dict[str, Entry] | None:
        """The entries of a mapping whose keys are all known, by the canonical spelling of the key."""
        entries = self.mapping(key, node, hint)
        if entries is None:
            return None
        words = canonical(known)
        found: dict[str, Entry] = {}
        for entry in entries:
            word = words.get(entry.key.lower())
            if word is None:
                near = suggest(entry.key, words.values())
                advice = f"did you mean `{near}`?" if near else f"known are {', '.join(words.values())}"
                self.error(f"unknown key `{entry.key}` in `{key}`", entry, advice)
            elif word in found:
                self.error(f"`{entry.key}` stands twice in `{key}`, in different case", entry)
            else:
                found[word] = entry
        return found

    def collect(self, found: dict[str, Entry], **readers: Callable[[str, Node], T | None]) -> dict[str, T]:
        """What the readers make of the entries that they are named for, without what does not fit."""
        values: dict[str, T] = {}
        for key, entry in found.items():
            reader = readers.get(key)
            value = reader(key, entry.value) if reader else None
            if value is not None:
                values[key] = value
        return values
