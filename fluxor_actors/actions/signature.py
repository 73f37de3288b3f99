"""What a method takes and gives, read from its annotations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, NewType, NotRequired, TypedDict, Union, get_args, get_origin, get_type_hints

from attrs import frozen

from fluxor_actors.actions.calling import Call, by_keyword, by_position
from fluxor_actors.actions.context import ActionContext
from fluxor_actors.actions.decorators import Mark
from fluxor_actors.actions.fields import by_spelling, is_record, record_fields
from fluxor_actors.errors import RegistryError

__all__ = ["Signature", "read_signature"]

_Parameter = inspect.Parameter
_VARIADIC = (_Parameter.VAR_POSITIONAL, _Parameter.VAR_KEYWORD)


@frozen
class Signature:
    """One method of a service.

    Attributes:
        name: the method's name.
        description: one line.
        internal: whether listings leave it out.
        input: the type of its input; `Any`: anything; None: it takes none.
        output: the type of its output; `Any`: not said.
        value_key: an input that is no mapping is taken as the value of this field of ``input``.
        default: what stands in for an empty input; `inspect.Parameter.empty`: nothing does.
    """

    name: str
    description: str = ""
    internal: bool = False
    input: Any = Any
    output: Any = Any
    value_key: str | None = None
    default: Any = _Parameter.empty

    @property
    def takes_input(self) -> bool:
        """Whether the method has an input at all."""
        return self.input is not None and self.input is not NoneType

    # A cached property writes past the frozen class's own way of setting, so it needs a class with a `__dict__`.
    @cached_property
    def input_keys(self) -> frozenset[str] | None:
        """Every key that the input may have, in each spelling; None when that is not known before it is seen."""
        if not self.takes_input:
            return frozenset()
        return frozenset(by_spelling(record_fields(self.input))) if is_record(self.input) else None


def read_signature(function: Callable[..., Any], mark: Mark, *, positional: bool = False) -> tuple[Signature, Call]:
    """The signature of ``function``, and how to call it with an input and a context.

    The parameter annotated `ActionContext` takes the context. One other parameter takes the whole input, or, if its
    type is not that of a mapping, the field of its name; several are the fields of the input.

    Args:
        function: a plain function or a bound method.
        mark: name and what else a decorator said.
        positional: the function takes nothing, the input, or the input and the context, whatever the names.

    Raises:
        RegistryError: an annotation cannot be resolved, or a parameter cannot be filled from an input.
    """
    where = f"{function.__module__}.{function.__qualname__}" if hasattr(function, "__qualname__") else repr(function)
    hints = _hints(function, where)
    parameters = _parameters(function)
    context = _context_name(parameters, hints, positional=positional)
    others = [parameter for parameter in parameters if parameter.name != context and parameter.kind not in _VARIADIC]
    variadic = next((parameter for parameter in parameters if parameter.kind in _VARIADIC), None)
    name = str(mark.name or getattr(function, "__name__", ""))
    output = mark.result_type if mark.result_type is not None else hints.get("return", Any)
    description = mark.description if mark.description is not None else _summary(function)

    def signature(**values: Any) -> Signature:
        return Signature(name, description, mark.internal, output=output, **values)

    if variadic is not None and (others or not positional):
        raise RegistryError(f"{where}: an input cannot fill the parameter {variadic}; name the fields instead")
    if variadic is not None:
        return signature(), function
    if not others:
        return signature(input=None), by_position(function, parameters, context)
    whole = len(others) == 1 and others[0].kind is not _Parameter.KEYWORD_ONLY
    first = others[0]
    kind = hints.get(first.name, Any)
    if positional or (whole and _takes_mapping(kind)):
        if len(others) > 1:
            raise RegistryError(f"{where}: it is called with an input and a context, but takes {len(others)} inputs")
        _check_records(kind, where)
        return signature(input=kind, default=first.default), by_position(function, parameters, context)
    for parameter in others:
        if parameter.kind is _Parameter.POSITIONAL_ONLY:
            raise RegistryError(f"{where}: the parameter {parameter.name} is positional only, so no field can fill it")
    record: Any = TypedDict(  # type: ignore[misc]  # made at run time: mypy knows only the literal form
        f"{name}_input",
        {
            parameter.name: hints.get(parameter.name, Any)
            if parameter.default is _Parameter.empty
            else NotRequired[hints.get(parameter.name, Any)]
            for parameter in others
        },
    )
    _check_records(record, where)
    return signature(input=record, value_key=first.name if whole else None), by_keyword(function, context)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except ValueError:  # some functions written in C do not tell
        return [_Parameter("input", _Parameter.POSITIONAL_ONLY)]


def _hints(function: Callable[..., Any], where: str) -> dict[str, Any]:
    target = function if hasattr(function, "__annotations__") else getattr(type(function), "__call__", function)  # noqa: B004  its annotations are wanted
    try:
        return get_type_hints(target, include_extras=True)
    except NameError as error:
        raise RegistryError(
            f"{where}: the annotation {error.name!r} cannot be resolved; import it at the top of the module, outside"
            " of `if TYPE_CHECKING`, and define it outside of functions"
        ) from error
    except (TypeError, AttributeError, SyntaxError) as error:
        raise RegistryError(f"{where}: an annotation cannot be resolved: {error}") from error


def _context_name(parameters: list[inspect.Parameter], hints: dict[str, Any], *, positional: bool) -> str | None:
    for parameter in parameters:
        if parameter.kind not in _VARIADIC and _is_context(hints.get(parameter.name)):
            return parameter.name
    unannotated = [p.name for p in parameters if p.name not in hints and p.kind not in _VARIADIC]
    if "context" in unannotated:
        return "context"
    if positional and len(parameters) == 2 and parameters[1].name in unannotated:
        return parameters[1].name
    return None


def _is_context(hint: Any) -> bool:
    members = _members(hint)
    return any(isinstance(member, type) and issubclass(member, ActionContext) for member in members)


def _members(hint: Any) -> tuple[Any, ...]:
    while get_origin(hint) is Annotated or isinstance(hint, NewType):
        hint = hint.__supertype__ if isinstance(hint, NewType) else get_args(hint)[0]
    return get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)


def _takes_mapping(hint: Any) -> bool:
    """Whether an input that is a mapping may be a value of this type as a whole."""
    for member in _members(hint):
        origin = get_origin(member) or member
        if member is Any or member is object or is_record(member):
            return True
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return True
    return False


def _check_records(kind: Any, where: str) -> None:
    """Resolve the annotations of every record that ``kind`` leads to, so that a mistake shows now and not in a run."""
    seen: set[Any] = set()
    open_ = [kind]
    while open_:
        hint = open_.pop()
        open_.extend(argument for argument in get_args(hint) if not isinstance(argument, (str, int, bytes)))
        if not is_record(hint) or hint in seen:
            continue
        seen.add(hint)
        try:
            open_.extend(field.type for field in record_fields(hint))
        except NameError as error:
            raise RegistryError(f"{where}: the annotation {error.name!r} in {hint!r} cannot be resolved") from error


def _summary(function: object) -> str:
    text = inspect.getdoc(function) or ""
    return " ".join(text.split("\n\n", 1)[0].split())
