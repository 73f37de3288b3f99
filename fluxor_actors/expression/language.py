"""The language with an application's own functions and settings."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fluxor_actors.errors import ConfigError, ExpressionError
from fluxor_actors.expression.compiled import Expression, guarded
from fluxor_actors.expression.compiler import Compiler
from fluxor_actors.expression.expansion import Constant, TextValue, Value, WholeValue, compile_value
from fluxor_actors.expression.limits import Limits
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.nodes import Field, Index, Name, Node
from fluxor_actors.expression.parser import parse
from fluxor_actors.expression.paths import Code
from fluxor_actors.expression.templates import Hole, holes_of, whole_path
from fluxor_actors.expression.values import MISSING, kind, shown

__all__ = ["Language"]

_Compiled = TypeVar("_Compiled")
_FUNCTION = re.compile(r"[^\W\d]\w*(\.\w+)*")
_CACHED = 4_096
_LONGEST_CACHED = 65_536


class Language:
    """Compiles expressions and values, and keeps what it has compiled. Safe between threads.

    Args:
        functions: the application's own functions, by name. They are to be quick and pure.
        strict: whether an unknown name is an error.
        limits: bounds on each expression.
        secrets: called with each NAME of a ``secret.NAME`` that is compiled; raises an `ExpressionError` for one that there is not. Its
            value is then that of NAME in what stands under ``"$secret"`` in the variables, which no expression can set. None: ``secret``
            is a name like others.

    Example:
        >>> language = Language(functions={"double": lambda x: x * 2})
        >>> language.expression("double(n) + 1").evaluate({"n": 4})
        9
        >>> language.value({"greeting": "Hello, ${name}!"}).expand({"name": "Ada"})
        {'greeting': 'Hello, Ada!'}
    """

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        strict: bool = False,
        limits: Limits | None = None,
        secrets: Callable[[str], object] | None = None,
    ) -> None:
        self._functions = dict(functions or {})
        for name, function in self._functions.items():
            if not isinstance(name, str) or not _FUNCTION.fullmatch(name) or not callable(function):
                raise ConfigError(f"functions: {name!r} is not the name of a callable: letters, digits and `_`")
        self._strict = strict
        self._limits = limits or Limits()
        self._secrets = secrets
        self._expressions: dict[str, Expression] = {}
        self._texts: dict[tuple[str, bool], Value] = {}
        self._lock = threading.Lock()

    def expression(self, source: object) -> Expression:
        """The compiled form of ``x``, ``${x}`` or ``{x}``; also of a bare boolean, number or null.

        Raises:
            ExpressionError: it does not parse.
        """
        if not isinstance(source, str):
            return self._plain(source)
        found = self._expressions.get(source)
        return found if found is not None else self._keep(self._expressions, source, self._expression(source))

    def value(self, value: object, *, is_input: bool = False) -> Value:
        """The compiled form of a value: texts, and lists and mappings of them, keys included.

        With ``is_input``, a text that is one ``${path}`` whose first name is unknown gives an empty text, else null.

        Raises:
            ExpressionError: an expression in it does not parse.
        """
        if isinstance(value, str):
            return self._text(value, is_input)
        try:
            return compile_value(
                value, lambda text: self._text(text, is_input), self._limits.depth, Meter(self._limits)
            )
        except RecursionError as error:
            raise guarded(error, "") from None

    def _keep(self, cache: dict[Any, _Compiled], key: Any, compiled: _Compiled) -> _Compiled:
        with self._lock:
            if len(cache) >= _CACHED:
                # The oldest goes: a definition's expressions are all compiled when it is loaded.
                del cache[next(iter(cache))]
            return cache.setdefault(key, compiled)

    def _plain(self, source: object) -> Expression:
        if kind(source) not in ("null", "boolean", "number"):
            raise ExpressionError(f"an expression is a text, a boolean, a number or null, not {shown(source)}")
        return Expression(shown(source), frozenset(), lambda variables, meter: source, self._limits)

    def _expression(self, source: str) -> Expression:
        compiler = self._compiler(0)
        try:
            code = compiler.compile(parse(source, self._limits))
        except ExpressionError as error:
            error.source = source
            raise
        except RecursionError as error:
            raise guarded(error, source) from None
        return Expression(source, frozenset(compiler.names), code, self._limits)

    def _compiler(self, offset: int) -> Compiler:
        return Compiler(self._functions, strict=self._strict, secrets=self._secrets, offset=offset)

    def _text(self, text: str, is_input: bool) -> Value:
        if "$" not in text:
            return Constant(text)
        key = (text, is_input)
        found = self._texts.get(key)
        if found is not None:
            return found
        compiled = self._compile_text(text, is_input)
        return self._keep(self._texts, key, compiled) if len(text) <= _LONGEST_CACHED else compiled

    def _compile_text(self, text: str, is_input: bool) -> Value:
        names: set[str] = set()
        if whole_path(text):
            return WholeValue(text, *self._hole(Hole(text, 0, len(text), path=True), text, None), self._limits)
        parts = list(holes_of(text))
        if len(parts) == 1 and isinstance(parts[0], Hole):
            names_read, code = self._hole(parts[0], text, "" if is_input else None)
            return WholeValue(text, names_read, code, self._limits)
        compiled: list[str | Code] = []
        for part in parts:
            if isinstance(part, str):
                compiled.append(part)
            else:
                read, code = self._hole(part, text, None)
                names |= read
                compiled.append(code)
        if any(callable(part) for part in compiled):
            return TextValue(text, frozenset(names), tuple(compiled), self._limits)
        return Constant("".join(part for part in compiled if isinstance(part, str)))

    def _hole(self, hole: Hole, text: str, unknown: Any) -> tuple[frozenset[str], Code]:
        """The names and the code of one place in a text; ``unknown`` is what a path with an unknown name gives."""
        compiler = self._compiler(hole.offset)
        try:
            node = parse(hole.source, self._limits)
            if hole.path:
                code = _as_written(compiler.path(node, unknown=MISSING, missing=MISSING), text[hole.start : hole.end])
            elif _is_path(node):
                code = compiler.path(node, unknown=unknown)
            else:
                code = compiler.compile(node)
        except ExpressionError as error:
            error.source = text
            error.position = (error.position or 0) + hole.offset
            raise
        except RecursionError as error:
            raise guarded(error, text) from None
        return frozenset(compiler.names), code


def _is_path(node: Node) -> bool:
    while isinstance(node, Field | Index):
        node = node.target
    return isinstance(node, Name)


def _as_written(code: Code, written: str) -> Code:
    def run(variables: Any, meter: Any) -> Any:
        value = code(variables, meter)
        return written if value is MISSING else value

    return run
