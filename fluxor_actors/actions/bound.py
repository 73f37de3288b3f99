"""A method of a registered service, ready to be called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from fluxor_actors.actions.calling import Call
from fluxor_actors.actions.signature import Signature

__all__ = ["BoundMethod"]


@frozen(slots=True, eq=False)
class BoundMethod:
    """One method with all that its invocation needs.

    Attributes:
        service: name of the service, as registered.
        signature: what it takes and gives.
        call: the method itself.
        prepare: brings an input to the input type; None when any input will do.
        plain: brings an output to plain data.
    """

    service: str
    signature: Signature
    call: Call
    prepare: Callable[[Any], Any] | None
    plain: Callable[[Any], Any]

    @property
    def action(self) -> str:
        """``service:method``."""
        return f"{self.service}:{self.signature.name}"
