"""Markers: what stands for a secret's value everywhere but in the hands of the action that it is for.

``secret.NAME`` evaluates to a text with the secret's name and the process's **seal**, a random text that its start has recorded, so that a text from
outside cannot pass for one. Markers are joined and stored like any text; the engine puts the value in their place when it calls the action. All their
characters stand for themselves in JSON and in URLs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fluxor_actors.errors import ExpressionError

__all__ = ["ANY_MARKER", "MARKER_START", "SEAL", "UNSEALED", "SecretNames", "marker", "markers_in"]

SEAL = "secrets"
"""The key in a process's environment of its seal."""

MARKER_START = "~secret."
ANY_MARKER = re.compile(r"~secret\.([A-Za-z_]\w*)\.([0-9a-f]+)~", re.ASCII)
"""A marker: its groups are the name and the seal."""

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def marker(name: str, seal: str) -> str:
    """What stands for a secret in a process with that seal.

    Example:
        >>> marker("TOKEN", "5eed")
        '~secret.TOKEN.5eed~'
    """
    return f"{MARKER_START}{name}.{seal}~"


def markers_in(value: Any) -> set[str]:
    """All that looks like a marker in plain data, keys included.

    Example:
        >>> markers_in({"a": ["x ~secret.TOKEN.5eed~ y"]})
        {'~secret.TOKEN.5eed~'}
    """
    found: set[str] = set()
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            if MARKER_START in each:
                found.update(match[0] for match in ANY_MARKER.finditer(each))
        elif isinstance(each, Mapping):
            waiting += [*each, *each.values()]
        elif isinstance(each, list | tuple):
            waiting += each
    return found


class SecretNames(dict[str, str]):
    """What expressions see as ``secret``: every name leads to its marker. Without a seal, to an error."""

    __slots__ = ("_seal",)

    def __init__(self, seal: str | None) -> None:
        super().__init__()
        self._seal = seal

    def __missing__(self, name: str) -> str:
        if self._seal is None:
            raise ExpressionError(
                f"secret.{name} cannot be read: the process was started by an engine without secrets; give Fluxor(secrets=…)"
            )
        if not _NAME.fullmatch(name):
            raise ExpressionError(f"{name!r} cannot be the name of a secret: letters, digits and `_`")
        return marker(name, self._seal)


UNSEALED = SecretNames(None)
"""Of a process that was started without secrets."""
