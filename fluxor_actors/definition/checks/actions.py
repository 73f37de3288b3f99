"""Whether the actions that tasks name are registered, and take the keys that they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from fluxor_actors.definition.checks.check import Check
from fluxor_actors.definition.keys import near_miss
from fluxor_actors.definition.model import Action
from fluxor_actors.definition.resolve import Place
from fluxor_actors.errors import MethodNotFoundError, ServiceNotFoundError

__all__ = ["Actions", "MethodSignature", "check_actions"]


class MethodSignature(Protocol):
    """What the checks need to know of a method."""

    @property
    def input_keys(self) -> frozenset[str] | None:
        """Every key that its input may have; None when that is not known."""
        ...


class Actions(Protocol):
    """What the checks need of a registry of actions."""

    def signature(self, service: str, name: str, /) -> MethodSignature:
        """The signature of a method.

        Raises:
            ServiceNotFoundError: there is no such service.
            MethodNotFoundError: the service has no such method.
        """
        ...


def check_actions(check: Check, actions: Actions) -> None:
    """Look up every action."""
    for place in check.tasks():
        action = place.task.action
        if action is None:
            continue
        try:
            signature = actions.signature(action.service, action.method)
        except (ServiceNotFoundError, MethodNotFoundError) as error:
            position = check.where(action)
            check.problems.error(f"`action: {action.service}:{action.method}`: {error}", position, place.id)
            continue
        if signature.input_keys is not None:
            _check_keys(check, place, action, signature.input_keys)


def _check_keys(check: Check, place: Place, action: Action, known: frozenset[str]) -> None:
    given = action.input if action.input is not None else place.task.input
    if not isinstance(given, Mapping):
        return
    for key in given:
        # A key that is an expression is known only when it has been expanded.
        if not isinstance(key, str) or key in known or "$" in key:
            continue
        near = near_miss(key, sorted(known))
        hint = f"did you mean `{near}`?" if near else f"known are {', '.join(sorted(known))}" if known else ""
        part = "with" if check.has(place.task, "with") else "input"
        position = check.where(place.task, part, (key,))
        name = f"{action.service}:{action.method}"
        check.problems.error(f"`input.{key}`: {name} takes no such key", position, place.id, hint)
