"""Functions whose annotations lead nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from fluxor_actors.actions import action

if TYPE_CHECKING:
    from decimal import Decimal


@action("t:parameter")
def parameter(amount: Decimal) -> None: ...


@action("t:result")
def result() -> Decimal:
    raise NotImplementedError


@frozen
class Inner:
    amount: Decimal


@frozen
class Outer:
    inners: dict[str, list[Inner]]


@action("t:nested")
def nested(outer: Outer) -> None: ...
