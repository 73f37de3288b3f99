"""Events as plain data, and back: what a journal holds.

Each is a mapping of its fields, without those that have their default, and with its class's name as ``type`` and its version as ``v``.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from typing import Any

from fluxor_actors.errors import SchemaVersionError
from fluxor_actors.process.events import Event

if typing.TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["VERSIONS", "EventCodec", "Upcast"]

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the fields of an event of one version into those of the next. One that changes ``type`` says its version as ``v``."""

VERSIONS: Mapping[str, int] = {}
"""The version of each event type that is past its first."""

_UPCASTS: Mapping[tuple[str, int], Upcast] = {}


class EventCodec:
    """Converts events to plain data and back.

    Args:
        versions: the present version of each type that is past its first.
        upcasts: by type and version, what makes it the next version.

    Example:
        >>> from fluxor_actors.process.events import RunCompleted
        >>> codec = EventCodec()
        >>> codec.to_plain(RunCompleted("w/a", {"n": 1}))
        {'type': 'RunCompleted', 'v': 1, 'run': 'w/a', 'output': {'n': 1}}
        >>> codec.from_plain(_)
        RunCompleted(run='w/a', output={'n': 1}, writes=(), goto=None, started=None)
    """

    def __init__(
        self,
        versions: Mapping[str, int] = VERSIONS,
        upcasts: Mapping[tuple[str, int], Upcast] = _UPCASTS,
    ) -> None:
        self._versions = versions
        self._upcasts = upcasts
        self._types: dict[str, type] = {kind.__name__: kind for kind in typing.get_args(Event)}
        self._converter: Converter | None = None
        self._writers: dict[type, Callable[[Any], dict[str, Any]]] = {}

    def to_plain(self, event: Event) -> dict[str, Any]:
        """An event as plain data. Its values are not copied."""
        kind = type(event)
        writer = self._writers.get(kind)
        if writer is None:
            writer = self._writers[kind] = self._make_writer(kind)
        name = kind.__name__
        return {"type": name, "v": self._versions.get(name, 1), **writer(event)}

    def from_plain(self, data: Mapping[str, Any]) -> Event:
        """An event from plain data, also of an earlier version.

        Raises:
            SchemaVersionError: its type or version is not known, since a newer program has written it; or it is damaged.
        """
        try:
            return self._read(data)
        except SchemaVersionError:
            raise
        except Exception as error:  # whatever the converter finds amiss
            name = data.get("type", "without a type") if isinstance(data, Mapping) else f"as a {type(data).__name__}"
            raise SchemaVersionError(f"event {name!s:.80} cannot be read, it is damaged: {error!r:.200}") from error

    def _read(self, data: Mapping[str, Any]) -> Event:
        fields = dict(data)
        name, version = fields.pop("type"), fields.pop("v", 1)
        while version < self._versions.get(name, 1):
            upcast = self._upcasts.get((name, version))
            if upcast is None:
                raise SchemaVersionError(
                    f"event {name} of version {version} cannot be read: nothing makes it the next version"
                )
            fields = dict(upcast({"type": name, **fields}))
            name, version = fields.pop("type"), fields.pop("v", version + 1)
        if name not in self._types or version > self._versions.get(name, 1):
            raise SchemaVersionError(f"event {name} of version {version} is not known; a newer program has written it")
        event: Event = self._ready().structure(fields, self._types[name])
        return event

    def _make_writer(self, kind: type) -> Callable[[Any], dict[str, Any]]:
        from cattrs.gen import make_dict_unstructure_fn  # heavy, and not needed by a process in memory

        return make_dict_unstructure_fn(kind, self._ready(), _cattrs_omit_if_default=True)

    def _ready(self) -> Converter:
        if self._converter is None:
            self._converter = _make_converter()
        return self._converter


def _make_converter() -> Converter:
    from cattrs import Converter  # heavy, and not needed by a process in memory

    converter = Converter(omit_if_default=True)
    # What users' values are made of is plain already: it is passed on as it is.
    converter.register_unstructure_hook_func(lambda kind: kind is Any, _same)
    converter.register_structure_hook_func(lambda kind: kind is Any, lambda value, _: value)
    _pass_on(converter, Mapping[str, Any], dict, dict)
    _pass_on(converter, tuple[Any, ...], list, tuple)
    return converter


def _pass_on(converter: Converter, kind: Any, there: Callable[[Any], Any], back: Callable[[Any], Any]) -> None:
    """Convert containers of users' values without looking into them."""
    converter.register_unstructure_hook_func(lambda found: found == kind, there)
    converter.register_structure_hook_func(lambda found: found == kind, lambda value, _: back(value))


def _same(value: Any) -> Any:
    return value
