"""JSON to nodes, with places, without recursion.

YAML reads most JSON but not all of it: tabs, keys of more than 1024 characters, surrogate pairs.
"""

from __future__ import annotations

import math
import re

from attrs import define, field

from fluxor_actors.definition.limits import DEEP_HINT, MAX_DEPTH
from fluxor_actors.definition.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode
from fluxor_actors.definition.position import Position
from fluxor_actors.definition.problems import Problems
from fluxor_actors.definition.text_check import unusable_character

__all__ = ["NotJsonError", "read_json"]

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
    (?P<mark>[\[\]{}:,])
    |(?P<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")
    |(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)(?![\w.])
    |(?P<word>true|false|null|NaN|-?Infinity)(?!\w)
    |(?P<end>\Z))""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))")
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}
_LONGEST = 1000


class NotJsonError(Exception):
    """The text is not JSON; it may be YAML."""


@define(eq=False)
class _Open:
    mapping: bool
    line: int
    column: int
    items: list[Node] = field(factory=list)
    entries: dict[str, Entry] = field(factory=dict)
    key: tuple[str, int, int] | None = None
    # What may come next: a value, a key, a colon, or a comma. ``first`` allows the closing bracket instead.
    wants: str = "value"
    first: bool = True


def read_json(text: str, source: str, problems: Problems) -> Node:
    """The root node. Duplicate keys, NaN and the like go to ``problems``.

    Raises:
        NotJsonError: it does not parse as JSON.
    """
    return _Reader(text, source, problems).run()


class _Reader:
    def __init__(self, text: str, source: str, problems: Problems) -> None:
        self._text = text
        self._source = source
        self._problems = problems
        self._found = Problems()
        self._open: list[_Open] = []
        self._root: Node | None = None
        self._line = 1
        self._line_start = 0
        self._seen = 0

    def run(self) -> Node:
        offset = 0
        while True:
            match = _TOKEN.match(self._text, offset)
            if match is None:
                raise NotJsonError
            offset = match.end()
            kind = match.lastgroup or ""
            start = match.start(kind)
            if kind == "end":
                break
            self._advance(start)
            piece = match.group(kind)
            if kind == "mark":
                if not self._mark(piece, start):
                    break
            else:
                self._value(kind, piece, start)
        if self._root is None and not self._found.found:
            raise NotJsonError
        self._problems.found.extend(self._found.found)
        return self._root or ScalarNode(None, "", 1, 1, self._source)

    def _advance(self, offset: int) -> None:
        newlines = self._text.count("\n", self._seen, offset)
        if newlines:
            self._line += newlines
            self._line_start = self._text.rfind("\n", 0, offset) + 1
        self._seen = offset

    def _column(self, offset: int) -> int:
        return offset - self._line_start + 1

    def _error(self, message: str, offset: int, hint: str = "") -> None:
        self._found.error(message, Position(self._line, self._column(offset), self._source), hint=hint)

    def _mark(self, piece: str, offset: int) -> bool:
        """Take a bracket, colon or comma. False when reading has to stop."""
        top = self._open[-1] if self._open else None
        if piece in "[{":
            self._want_value(top)
            if len(self._open) >= MAX_DEPTH:
                self._error(f"nested deeper than {MAX_DEPTH} levels", offset, DEEP_HINT)
                self._root = None
                return False
            opened = _Open(piece == "{", self._line, self._column(offset))
            opened.wants = "key" if opened.mapping else "value"
            self._open.append(opened)
            return True
        if top is None:
            raise NotJsonError
        if piece in "]}":
            if top.mapping != (piece == "}") or not (top.wants == "comma" or top.first):
                raise NotJsonError
            self._open.pop()
            self._close(top)
        elif piece == ":" and top.wants == "colon":
            top.wants = "value"
        elif piece == "," and top.wants == "comma":
            top.wants = "key" if top.mapping else "value"
            top.first = False
        else:
            raise NotJsonError
        return True

    def _close(self, done: _Open) -> None:
        node: Node
        if done.mapping:
            node = MappingNode(tuple(done.entries.values()), done.line, done.column, self._source)
        else:
            node = SequenceNode(tuple(done.items), done.line, done.column, self._source)
        self._add(node)

    def _want_value(self, top: _Open | None) -> None:
        if (top is None and self._root is not None) or (top is not None and top.wants != "value"):
            raise NotJsonError

    def _value(self, kind: str, piece: str, offset: int) -> None:
        top = self._open[-1] if self._open else None
        if top is not None and top.wants == "key":
            if kind != "string":
                raise NotJsonError
            top.key = (self._string(piece, offset), self._line, self._column(offset))
            top.wants, top.first = "colon", False
            return
        self._want_value(top)
        value: str | int | float | bool | None
        shown = piece
        if kind == "string":
            value = shown = self._string(piece, offset)
        elif kind == "number":
            value = self._number(piece, offset)
        elif piece in _WORDS:
            value = _WORDS[piece]
        else:
            value = None
            self._error(f"{piece} is not a finite number", offset, "quote it if it is meant as text")
        self._add(ScalarNode(value, shown, self._line, self._column(offset), self._source))

    def _number(self, piece: str, offset: int) -> int | float:
        if piece.lstrip("-").isdigit():
            if len(piece) > _LONGEST:
                self._error(f"a number of {len(piece)} digits; at most {_LONGEST} are read", offset)
                return 0
            return int(piece)
        number = float(piece)
        if not math.isfinite(number):
            self._error(f"{piece[:40]} is not a finite number", offset)
        return number

    def _string(self, piece: str, offset: int) -> str:
        text = piece[1:-1]
        if "\\" in text:
            text = _ESCAPE.sub(_unescape, text)
        bad = unusable_character(text)
        if bad:
            self._error(f"{bad} is not text that can be stored", offset)
        return text

    def _add(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        parent.wants, parent.first = "comma", False
        if not parent.mapping:
            parent.items.append(node)
            return
        assert parent.key is not None
        key, line, column = parent.key
        if key in parent.entries:
            position = Position(line, column, self._source)
            first = parent.entries[key]
            message = f"duplicate key `{key}`; the first is on line {first.line}"
            self._found.error(message, position, hint="remove or rename one")
        else:
            parent.entries[key] = Entry(key, node, line, column, self._source)


def _unescape(match: re.Match[str]) -> str:
    high, low, unit, short = match.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00))
    return chr(int(unit, 16)) if unit else _SHORT.get(short, short)
