"""From text to a tree of nodes: decoding, limits, and the choice between JSON and YAML."""

from __future__ import annotations

import codecs

from fluxor_actors.definition.json_reader import NotJsonError, read_json
from fluxor_actors.definition.limits import MAX_BYTES
from fluxor_actors.definition.nodes import Node
from fluxor_actors.definition.position import Position
from fluxor_actors.definition.problems import Problems
from fluxor_actors.definition.yaml_reader import read_yaml

__all__ = ["decode", "read"]

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read(text: str | bytes, source: str = "", *, empty_ok: bool = False) -> Node | None:
    """The tree of one document; None for an empty one, if that is allowed.

    Raises:
        DefinitionError: it cannot be decoded, is too large or too deep, is not YAML, or has duplicate keys.
    """
    problems = Problems()
    start = Position(1, 1, source)
    content = decode(text, source)
    node: Node | None
    if content.lstrip()[:1] in {"{", "["}:
        try:
            node = read_json(content, source, problems)
        except NotJsonError:
            node = read_yaml(content, source, problems)
    else:
        node = read_yaml(content, source, problems)
    if node is None and not empty_ok and not problems.found:
        problems.error("the document is empty", start, hint="a workflow has at least a `pipeline`")
    problems.raise_errors()
    return node


def decode(text: str | bytes, source: str = "") -> str:
    """The text of a document: UTF-8, or what its byte order mark says.

    Raises:
        DefinitionError: it is too large, or is not text.
    """
    problems = Problems()
    start = Position(1, 1, source)
    if len(text) > MAX_BYTES or (isinstance(text, str) and len(text) > MAX_BYTES // 4 and _bytes(text) > MAX_BYTES):
        problems.error(
            f"the document is larger than {MAX_BYTES >> 20} MiB", start, hint="split it, or pass data as input"
        )
    problems.raise_errors()
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    encoding = next((name for mark, name in _MARKS if text.startswith(mark)), "utf-8")
    try:
        return text.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = error.start - text.rfind(b"\n", 0, error.start)
        position = Position(line, column, source)
        problems.error(
            f"the document is not text: byte {text[error.start]:#04x} is not {encoding}",
            position,
            hint="save it as UTF-8",
        )
        problems.raise_errors()
        raise AssertionError("unreachable") from None


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
