"""Values structured into an application's classes, strictly, and back into plain data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fluxor_actors.errors import InputError
from fluxor_actors.plain import to_plain

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["structure_class"]


def structure_class(kind: Any, value: Any, path: str) -> Any:
    """The plain form of ``value`` structured into ``kind``: with the defaults of what it leaves out.

    Raises:
        InputError: it does not fit; every problem is listed with its path.
    """
    from cattrs.errors import BaseValidationError  # heavy: only when a typed value is met
    from cattrs.v import transform_error

    try:
        return to_plain(_converter().structure(value, kind), path)
    except BaseValidationError as error:
        raise InputError("; ".join(transform_error(error, path, _text))) from None
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(f"{_text(error, kind)} @ {path}") from None


@lru_cache(maxsize=1)
def _converter() -> Converter:
    # One for all: it holds nothing but what it derives from the classes that it meets.
    from cattrs import Converter  # heavy: only when a typed value is met
    from cattrs.cols import is_sequence, list_structure_factory

    converter = Converter(forbid_extra_keys=True)
    for basic in (str, int, bool):
        converter.register_structure_hook(basic, _exactly)
    converter.register_structure_hook(float, _number)

    def strict_list(kind: Any) -> Any:
        inner = list_structure_factory(kind, converter)

        def structure(value: Any, wanted: Any) -> Any:
            # cattrs takes a text for a list of letters, and a mapping for a list of its keys.
            if not isinstance(value, (list, tuple)):
                raise TypeError(f"expected a list, found {_shown(value)}")
            return inner(value, wanted)

        return structure

    converter.register_structure_hook_factory(is_sequence, strict_list)
    return converter


def _exactly(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, found {_shown(value)}")
    return value


def _number(value: Any, _: type) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"expected float, found {_shown(value)}")
    return float(value)


def _text(error: BaseException, _: Any = None) -> str:
    if isinstance(error, KeyError):
        return f"required field {error} is missing"
    return str(error)


def _shown(value: Any) -> str:
    name = {bool: "the truth value", str: "the text", int: "the number", float: "the number"}.get(type(value))
    if name is not None:
        return f"{name} {value!r:.60}"
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, Mapping) else type(value).__name__
