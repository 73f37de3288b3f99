"""The inputs of a run: ``-i key=value`` and ``-i @file``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.definition.meta import FsspecMeta
from fluxor_actors.definition.nodes import MappingNode, to_plain
from fluxor_actors.definition.reader import read
from fluxor_actors.definition.scalars import resolve_plain
from fluxor_actors.errors import DefinitionError

__all__ = ["parse_value", "read_inputs"]

_FORMS = "write -i name=value, or -i @file.yaml"


def read_inputs(given: Iterable[str], stdin: Callable[[], bytes]) -> dict[str, Any]:
    """The inputs together; a later one wins.

    Args:
        given: the values of ``-i``, in order.
        stdin: reads standard input, for ``@-``.

    Raises:
        UsageProblem: one of them is not of the form ``name=value`` or ``@file``, or its file cannot be read.

    Example:
        >>> read_inputs(["n=3", "s='3'", "tags=[a, b]", "n=4"], bytes)
        {'n': 4, 's': '3', 'tags': ['a', 'b']}
    """
    inputs: dict[str, Any] = {}
    for text in given:
        if text.startswith("@"):
            inputs.update(_from_file(text[1:], stdin))
            continue
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageProblem(f"-i {text!r} has no =", _FORMS)
        if not name.strip():
            raise UsageProblem(f"-i {text!r} has no name", _FORMS)
        inputs[name.strip()] = parse_value(value, text)
    return inputs


def parse_value(text: str, where: str = "") -> Any:
    """A value by YAML's core schema: a list or mapping in brackets, a text in quotes, or a plain scalar. Anything else is text.

    Raises:
        UsageProblem: brackets or quotes are not closed, or it is a number that cannot be kept.

    Example:
        >>> [parse_value(text) for text in ("3", "true", "", '"3"', "{a: 1}", "note: well", "on")]
        [3, True, None, '3', {'a': 1}, 'note: well', 'on']
    """
    stripped = text.strip()
    if stripped[:1] in ("[", "{", '"', "'"):
        try:
            node = read(stripped)
        except DefinitionError as error:
            [first, *_] = [getattr(problem, "message", str(problem)) for problem in error.problems] or [str(error)]
            hint = "a text that begins so stands in quotes: -i 'name=\"…\"'"
            raise UsageProblem(f"-i {where or text!r}: {first}", hint) from error
        assert node is not None
        return to_plain(node)
    try:
        # Blanks alone are a text that somebody means.
        value = resolve_plain(stripped) if stripped or not text else text
    except ValueError as error:
        raise UsageProblem(f"-i {where or text!r}: {error}", "put it in quotes if it is meant as text") from error
    return text if isinstance(value, str) else value


def _from_file(name: str, stdin: Callable[[], bytes]) -> dict[str, Any]:
    if not name:
        raise UsageProblem("-i @ names no file", _FORMS)
    try:
        content = stdin() if name == "-" else FsspecMeta().load(name)
    except UsageProblem:
        raise
    except Exception as error:  # whatever a file system raises
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else f"{type(error).__name__}: {error}"
        raise UsageProblem(f"-i @{name}: {reason}", _FORMS) from error
    node = read(content, "<stdin>" if name == "-" else name, empty_ok=True)
    if node is None:
        return {}
    if not isinstance(node, MappingNode):
        raise UsageProblem(f"-i @{name}: it holds no mapping of names to values", "write lines such as name: value")
    plain = to_plain(node)
    assert isinstance(plain, dict)
    return plain
