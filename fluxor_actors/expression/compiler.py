"""From tree to closures.

Each node becomes a function of the variables and a meter. Chains of one level are run in a loop, so the depth of the calls
is the depth of the tree, which the parser has bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.binary import chain_code
from fluxor_actors.expression.functions import BUILTINS, PATTERNS, Function, custom
from fluxor_actors.expression.matching import compile_pattern
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.nodes import (
    LEVELS,
    Binary,
    Call,
    Conditional,
    Field,
    Index,
    ListOf,
    Literal,
    MappingOf,
    Match,
    Name,
    Node,
    Unary,
)
from fluxor_actors.expression.operators import negate
from fluxor_actors.expression.paths import Code, Step, field_step, index_step, name_code, path_code, step_code
from fluxor_actors.expression.values import MISSING, is_true
from fluxor_actors.expression.variables import read_secret

__all__ = ["Compiler", "located"]


def located(code: Code, position: int) -> Code:
    """The same, with errors that do not know their place put at ``position``."""

    def run(variables: Any, meter: Meter) -> Any:
        try:
            return code(variables, meter)
        except ExpressionError as error:
            if error.position is None:
                error.position = position
            raise

    return run


class Compiler:
    """Compiles one expression, and collects the first names that it reads.

    ``offset`` is where the expression stands in the text that errors show.
    """

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]],
        *,
        strict: bool = False,
        secrets: Callable[[str], object] | None = None,
        offset: int = 0,
    ) -> None:
        self.names: set[str] = set()
        self._functions = functions
        self._strict = strict
        self._secrets = secrets
        self._offset = offset

    def compile(self, node: Node) -> Code:
        """The code of any node."""
        match node:
            case Literal(value):
                return lambda variables, meter: value
            case Name() | Field() | Index():
                return self.path(node)
            case Unary(operator, operand):
                return self._unary(operator, self.compile(operand), node.position)
            case Binary() | Match():
                return self._chain(node)
            case Conditional():
                return self._conditional(node)
            case Call():
                return self._call(node)
            case ListOf(items):
                codes = [self.compile(item) for item in items]
                return lambda variables, meter: [code(variables, meter) for code in codes]
            case MappingOf(entries):
                pairs = [(key, self.compile(value)) for key, value in entries]
                return lambda variables, meter: {key: code(variables, meter) for key, code in pairs}

    def path(self, node: Node, *, unknown: Any = None, missing: Any = None) -> Code:
        """The code of a path that gives ``unknown`` for an unknown name and ``missing`` for a step to nothing."""
        links: list[Field | Index] = []
        root: Node = node
        while isinstance(root, Field | Index):
            links.append(root)
            root = root.target
        links.reverse()
        if not isinstance(root, Name):
            return path_code(self.compile(root), tuple(map(self._step, links)), missing)
        if self._secrets is not None and root.name == "secret" and not root.session and links:
            link = links.pop(0)
            if isinstance(link, Field):
                secret = self._secret(self._secrets, link)
                return path_code(secret, tuple(map(self._step, links)), missing) if links else secret
            links.insert(0, link)
        self.names.add(root.name)
        plain = unknown is None and missing is None and not root.session
        if plain and len(links) == 1 and isinstance(links[0], Field):
            return self._at(step_code(root.name, links[0].name, strict=self._strict), root)
        # Steps from nothing lead to nothing, so only an unknown name itself is told apart.
        code = name_code(root.name, session=root.session, strict=self._strict, unknown=MISSING if links else unknown)
        if not links:
            return self._at(code, root)
        return self._at(self._walk(code, tuple(map(self._step, links)), unknown, missing), root)

    @staticmethod
    def _walk(root: Code, steps: tuple[Step, ...], unknown: Any, missing: Any) -> Code:
        walk = path_code(root, steps, missing)
        if unknown is missing:
            return walk

        def run(variables: Any, meter: Meter) -> Any:
            return unknown if root(variables, meter) is MISSING else walk(variables, meter)

        return run

    def _at(self, code: Code, node: Node) -> Code:
        # Reading fails on unknown names, if strict, and on huge mappings; not worth a frame on every read otherwise.
        return located(code, self._offset + node.position) if self._strict else code

    def _step(self, link: Field | Index) -> Step:
        return field_step(link.name) if isinstance(link, Field) else index_step(self.compile(link.index))

    def _secret(self, secrets: Callable[[str], object], link: Field) -> Code:
        name = link.name
        try:
            secrets(name)
        except ExpressionError as error:
            error.position = link.position
            raise
        return located(lambda variables, meter: read_secret(variables, name), self._offset + link.position)

    def _unary(self, operator: str, operand: Code, position: int) -> Code:
        if operator == "!":
            return lambda variables, meter: not is_true(operand(variables, meter))
        return located(lambda variables, meter: negate(operand(variables, meter)), self._offset + position)

    def _chain(self, node: Binary | Match) -> Code:
        level = LEVELS[node.operator] if isinstance(node, Binary) else 5
        links: list[tuple[str, Code | None, Any, int]] = []
        left: Node = node
        while True:
            if isinstance(left, Binary) and LEVELS[left.operator] == level:
                place = self._offset + left.position
                links.append((left.operator, self.compile(left.right), None, place))
                left = left.left
            elif isinstance(left, Match) and level == 5:
                place = self._offset + left.position
                links.append(("!~" if left.negated else "~", None, self._pattern(left.pattern, left.position), place))
                left = left.subject
            else:
                break
        links.reverse()
        return chain_code(self.compile(left), links)

    def _pattern(self, pattern: str, position: int) -> str:
        try:
            compile_pattern(pattern)
        except ExpressionError as error:
            error.position = position
            raise
        return pattern

    def _conditional(self, node: Conditional) -> Code:
        condition, yes, no = self.compile(node.condition), self.compile(node.yes), self.compile(node.no)

        def run(variables: Any, meter: Meter) -> Any:
            return yes(variables, meter) if is_true(condition(variables, meter)) else no(variables, meter)

        return run

    def _call(self, node: Call) -> Code:
        function = self._function(node)
        count = len(node.arguments)
        if count < function.least or (function.most is not None and count > function.most):
            most = "or more" if function.most is None else f"to {function.most}"
            takes = f"{function.least}" if function.least == function.most else f"{function.least} {most}"
            raise ExpressionError(
                f"{node.function}() takes {takes} argument{'' if takes == '1' else 's'}, not {count}",
                position=node.position,
            )
        if node.function in PATTERNS and isinstance(node.arguments[1], Literal):
            self._pattern(str(node.arguments[1].value or ""), node.arguments[1].position)
        codes = [self.compile(argument) for argument in node.arguments]
        run = function.run
        return located(
            lambda variables, meter: run(meter, *[code(variables, meter) for code in codes]),
            self._offset + node.position,
        )

    def _function(self, node: Call) -> Function:
        own = self._functions.get(node.function)
        if own is not None:
            return custom(node.function, own)
        try:
            return BUILTINS[node.function]
        except KeyError:
            known = sorted({*BUILTINS, *self._functions})
            raise ExpressionError(
                f"unknown function {node.function!r}",
                position=node.position,
                candidates=get_close_matches(node.function, known),
            ) from None
