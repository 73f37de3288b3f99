"""The public interface, as a text: every public name, with its signature and its public members.

Prints it: ``python -m tests.public_api > tests/public_api.txt`` takes it down after a change that is meant.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any, get_origin

__all__ = ["MODULES", "PAGE", "listing", "signature"]

MODULES = (
    "fluxor_actors",
    "fluxor_actors.definition",
    "fluxor_actors.errors",
    "fluxor_actors.expression",
    "fluxor_actors.messaging",
    "fluxor_actors.storage",
    "fluxor_actors.storage.dao",
    "fluxor_actors.testing",
)
PAGE = Path(__file__).with_suffix(".txt")

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def listing() -> str:
    """The whole interface, a line for each name and member."""
    return "\n".join(line for name in MODULES for line in _module(importlib.import_module(name))) + "\n"


def signature(function: Any) -> str:
    """How something is called, annotations as they are written."""
    text = str(inspect.signature(function))
    # Annotations are texts, and are shown in quotes; so are those with a text in them, in the other quotes.
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)
    text = re.sub(r'(: |-> )"([^"]*)"', r"\1\2", text)
    return _ADDRESS.sub("", text)


def _module(module: ModuleType) -> Iterator[str]:
    yield f"# {module.__name__}"
    root_errors = set(importlib.import_module("fluxor_actors.errors").__all__)
    for name in sorted(module.__all__):
        if module.__name__ == "fluxor_actors" and name in root_errors:
            continue  # they stand under their own module
        yield from _named(name, getattr(module, name))
    yield ""


def _named(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, ModuleType):
        yield f"module {name}"
    elif isinstance(value, type) and not get_origin(value):
        yield from _class(name, value)
    elif inspect.isroutine(value):
        yield f"def {name}{signature(value)}"
    else:
        yield f"{name} = {_ADDRESS.sub('', repr(value))}"


def _class(name: str, cls: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in cls.__bases__ if base is not object)
    made = ""
    if issubclass(cls, Enum):
        yield f"class {name}({bases}): " + ", ".join(member.name for member in cls)
    else:
        if not getattr(cls, "_is_protocol", False) and _own(cls.__init__):
            # Without `self`.
            made = re.sub(r"^\(self(, )?", "(", signature(cls.__init__)).removesuffix(" -> None")
            # What is made from its fields has them: they need no lines of their own.
        yield f"class {name}{f' [{bases}]' if bases else ''}{made}"
    for member, value in sorted(_members(cls).items()):
        if isinstance(value, property):
            yield f"    {member}: {signature(value.fget).rpartition('-> ')[2]}"
        elif isinstance(value, (classmethod, staticmethod)):
            yield f"    {type(value).__name__} {member}{signature(value.__func__)}"
        elif inspect.isfunction(value):
            yield f"    def {member}{signature(value)}"
        elif not re.search(rf"\b{member}[:=]", made) and not callable(value):
            yield f"    {member}"


def _members(cls: type) -> dict[str, Any]:
    """The public members that this project gives a class, inherited ones too; without an enumeration's own."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if not base.__module__.startswith("fluxor_actors"):
            continue
        own = vars(base).items()
        found |= {name: value for name, value in own if not name.startswith("_") and not isinstance(value, Enum)}
    return found


def _own(function: Any) -> bool:
    return inspect.isfunction(function) and (
        function.__module__.startswith("fluxor_actors") or "attrs" in function.__code__.co_filename
    )


if __name__ == "__main__":
    print(listing(), end="")  # noqa: T201 - that is what it is for
