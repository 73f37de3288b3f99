"""All problems of a document, as ``fluxor validate`` tells them."""

from __future__ import annotations

from attrs import frozen

from fluxor_actors.actions import Actions
from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.opening import check_file, read_stdin
from fluxor_actors.definition import Loader, Problem, TaskIndex, Workflow, validate
from fluxor_actors.definition.checks import MethodSignature
from fluxor_actors.engine import Fluxor
from fluxor_actors.errors import DefinitionError, ServiceNotFoundError

__all__ = ["Checker"]


@frozen
class _AnySignature:
    """The signature of what is not at hand."""

    input_keys: frozenset[str] | None = None


class _Lenient:
    """A registry to which services that it has nothing like are fine: the document's owner may have them elsewhere."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    def foreign(self, service: str) -> bool:
        """Whether the service is not here, nor one whose name is nearly the same."""
        try:
            self._actions.lookup(service)
        except ServiceNotFoundError as error:
            return not error.candidates
        return False

    def signature(self, service: str, name: str) -> MethodSignature:
        return _AnySignature() if self.foreign(service) else self._actions.signature(service, name)


class Checker:
    """Checks documents against one engine's actions and types.

    Args:
        engine: it is not started.
        own_actions: the user's actions are in it, so that one which is missing is an error; else it is a warning.
    """

    def __init__(self, engine: Fluxor, *, own_actions: bool) -> None:
        self._types = engine.types
        self._lenient = None if own_actions else _Lenient(engine.actions)
        self._actions = self._lenient or engine.actions
        self._loader = Loader(
            engine.config.meta_base_url,
            root_task_node_name=engine.config.root_task_node_name,
            actions=self._actions,
            types=engine.types,
        )

    def check(self, file: str) -> list[Problem]:
        """The problems of one document, in its order."""
        try:
            workflow = self._load(file)
        except UsageProblem as error:
            return [Problem(str(error), hint=error.hint)]
        except DefinitionError as error:
            found = [problem for problem in error.problems if isinstance(problem, Problem)]
            return found or [Problem(str(error))]
        found = validate(workflow, actions=self._actions, types=self._types)
        return sorted([*found, *self._foreign(workflow)], key=_place)

    def _load(self, file: str) -> Workflow:
        if file == "-":
            return self._loader.decode(read_stdin())
        check_file(file)
        return self._loader.load(file)

    def _foreign(self, workflow: Workflow) -> list[Problem]:
        if self._lenient is None:
            return []
        hint = "add Python actions with --actions to have it checked"
        problems = []
        for place in TaskIndex(workflow).places.values():
            action = place.task.action
            if action is not None and self._lenient.foreign(action.service):
                name = f"{action.service}:{action.method}"
                message = f"`action: {name}`: there is no service {action.service!r} here"
                problems.append(Problem(message, action.position or place.task.position, place.id, hint, "warning"))
        return problems


def _place(problem: Problem) -> tuple[bool, int, int]:
    position = problem.position
    return (position is None, position.line, position.column) if position else (True, 0, 0)
