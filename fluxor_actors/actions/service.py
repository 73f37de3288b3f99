"""A service: actions under one name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from attrs import frozen

from fluxor_actors.actions.calling import Call
from fluxor_actors.actions.signature import Signature

__all__ = ["MethodTable", "Service"]


class Service(Protocol):
    """What every service comes down to. An object of one's own with these members can be registered as it is."""

    @property
    def name(self) -> str:
        """The name before the colon. It may contain slashes."""
        ...

    def methods(self) -> Sequence[Signature | str]:
        """A signature of each method, or just its name: the signature is then read from the method's annotations."""
        ...

    def method(self, name: str, /) -> Call:
        """The method of that name, as it stands in `methods`; called with the structured input and the context.

        It may also take only the input, or nothing.
        """
        ...


@frozen(eq=False)
class MethodTable:
    """A service as a table. Every other form is brought to this one."""

    name: str
    table: Mapping[str, tuple[Signature, Call]]
    functions: bool = False
    """Whether it is made of plain functions, so that more may join."""

    def methods(self) -> tuple[Signature, ...]:
        """The signatures, in the order of definition."""
        return tuple(signature for signature, _ in self.table.values())

    def method(self, name: str) -> Call:
        """The method of that name, ignoring case."""
        return self.table[name.casefold()][1]
