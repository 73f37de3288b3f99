"""Snapshots as JSON, and back.

Example:
    >>> text = to_text(Execution(id="p1/order/pay", state=ExecutionState.FAILED, error="no money"))
    >>> from_text(Execution, text).error
    'no money'
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import fields

from fluxor_actors.errors import StoreError
from fluxor_actors.process.snapshot import Execution, Process
from fluxor_actors.process.states import ExecutionState, ProcessState
from fluxor_actors.storage.dao.dao import Kept

__all__ = ["check_filters", "fits", "from_text", "to_text"]

_STATES: Mapping[type, type] = {Process: ProcessState, Execution: ExecutionState}


def to_text(value: Process | Execution) -> str:
    """The snapshot as one line of JSON: its fields by their names, times as in ISO 8601."""
    document = {name: _plain(getattr(value, name)) for name in _names(type(value))}
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def from_text(kind: type[Kept], text: str) -> Kept:
    """The snapshot that was written. Fields that this release does not know are left out.

    Raises:
        StoreError: it is none.
    """
    try:
        document = json.loads(text)
        names = _names(kind)
        return kind(**{name: _value(kind, name, given) for name, given in document.items() if name in names})
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreError(f"this is no {kind.__name__}: {text:.100}: {error}") from error


def check_filters(kind: type, filters: Mapping[str, Any]) -> None:
    """Hold names of filters to the fields there are.

    Raises:
        TypeError: there is no such field.
    """
    names = _names(kind)
    for name in filters:
        if name not in names:
            raise TypeError(f"a {kind.__name__} has no field {name!r} to filter by; it has {', '.join(names)}")


def fits(value: object, filters: Mapping[str, Any]) -> bool:
    """Whether the fields of a snapshot have these values."""
    return all(getattr(value, name) == wanted for name, wanted in filters.items())


def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return value


def _value(kind: type, name: str, given: Any) -> Any:
    if name == "revision":
        created, sequence = given
        return float(created), int(sequence)
    if name == "state":
        return _STATES[kind](given)
    if name.endswith("_at") and given is not None:
        return datetime.fromisoformat(given)
    return given
