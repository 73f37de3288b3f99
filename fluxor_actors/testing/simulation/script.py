"""Which action does what in a simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from fluxor_actors.actions import ActionContext
from fluxor_actors.actions.decorators import action, action_mark
from fluxor_actors.actors.lanes import action_key
from fluxor_actors.definition import Task, Workflow
from fluxor_actors.errors import ActionCancelledError
from fluxor_actors.testing.simulation.behaviour import Behaviour, Call, returns

__all__ = ["Script", "actions_of"]


class Script:
    """What actions do, by name.

    Args:
        actions: ``service:method`` to a `Behaviour`, a value that it returns, a list of those, one for each attempt (the last one serves for all
            further ones), or a function that is the action. ``*`` stands for every action of a workflow that is not named.
        seed: of what is chosen.
    """

    def __init__(self, actions: Mapping[str, Any], seed: int | str) -> None:
        self._behaviours: dict[str, Any] = {}
        self.functions: dict[str, Callable[..., Any]] = {}
        self._seed = seed
        self._known: dict[tuple[str, int], Behaviour] = {}
        for name, given in actions.items():
            self.set(name, given)

    def set(self, name: str, given: Any) -> None:
        """Say what an action does, from now on."""
        key = action_key(name)
        if callable(given):
            self.functions[key] = given
            self._behaviours.pop(key, None)
        else:
            self.functions.pop(key, None)
            self._behaviours[key] = given

    def behaviour(self, call: Call) -> Behaviour | None:
        """What this call does, the same each time it is asked; None: the real action is called."""
        known = self._known.get((call.key, call.attempt))
        if known is not None:
            return known
        if call.action in self.functions:
            return None
        given = self._behaviours.get(call.action)
        if given is None and call.action not in self._behaviours:
            return None
        found = self._resolved(given, call)
        self._known[call.key, call.attempt] = found
        return found

    def known(self, key: str, attempt: int) -> Behaviour:
        """What a call that was asked about before does."""
        return self._known[key, attempt]

    def _resolved(self, given: Any, call: Call) -> Behaviour:
        if isinstance(given, Sequence) and not isinstance(given, (str, bytes)) and given:
            given = given[min(call.attempt, len(given)) - 1]
        if not isinstance(given, Behaviour):
            return returns(given)
        # For each call a generator of its own: what it decides does not depend on what happened before.
        random = Random(f"{self._seed}/{call.key}/{call.attempt}")  # noqa: S311 - to be repeated
        found: Behaviour = given
        while found.choice is not None:
            found = found.choice(call, random)
        return found

    # Actions -------------------------------------------------------------------------------------------------------------

    def functions_for(self, names: Iterable[str]) -> Iterator[tuple[str, object]]:
        """Actions that do as the script says: those that have a name in it, and of ``names`` those for which ``*`` stands."""
        if "*" in self._behaviours:
            for name in names:
                if name not in self._behaviours and name not in self.functions:
                    self._behaviours[name] = self._behaviours["*"]
        for name in self._behaviours:
            if name != "*":
                yield name, _scripted(name, self)
        for name, function in self.functions.items():
            yield name, function if action_mark(function) is not None else action(name)(function)

    def perform(self, context: ActionContext) -> Any:
        """Do what was decided for a call."""
        found = self.known(context.idempotency_key, context.attempt)
        if context.cancellation.cancelled and found.heeds and found.seconds != 0:
            raise ActionCancelledError(f"{context.idempotency_key} was cancelled")
        if found.error is not None:
            # Raised several times, one error would collect tracebacks.
            raise found.error.with_traceback(None)
        return found.value


def _scripted(name: str, script: Script) -> object:
    @action(name)
    def scripted(value: Any, context: ActionContext) -> Any:
        return script.perform(context)

    return scripted


def actions_of(workflow: Workflow) -> list[str]:
    """The names of the actions in a workflow, each once."""
    found: dict[str, None] = {}
    open_: list[Task] = [*workflow.pipeline, *workflow.dependencies]
    while open_:
        task = open_.pop()
        if task.action is not None:
            found[action_key(f"{task.action.service}:{task.action.method}")] = None
        open_ += task.tasks
        open_ += [each.task for each in (task.template, task.emit) if each is not None]
    return list(found)
