"""All static checks of a workflow, parsed or built."""

from __future__ import annotations

from fluxor_actors.definition.checks.actions import Actions, MethodSignature, check_actions
from fluxor_actors.definition.checks.check import Check
from fluxor_actors.definition.checks.expressions import check_expressions
from fluxor_actors.definition.checks.flow import check_flow
from fluxor_actors.definition.checks.naming import check_names
from fluxor_actors.definition.checks.parts import check_parts
from fluxor_actors.definition.checks.references import check_references
from fluxor_actors.definition.checks.structure import check_structure
from fluxor_actors.definition.checks.typing import check_types
from fluxor_actors.definition.limits import MAX_DEPTH
from fluxor_actors.definition.model import Workflow
from fluxor_actors.definition.places import Places
from fluxor_actors.definition.problems import Problem, Problems
from fluxor_actors.definition.resolve import TaskIndex
from fluxor_actors.definition.types import TypeRegistry
from fluxor_actors.expression import Language

__all__ = ["Actions", "MethodSignature", "check_workflow", "validate"]


def validate(
    workflow: Workflow,
    *,
    actions: Actions | None = None,
    types: TypeRegistry | None = None,
    language: Language | None = None,
) -> list[Problem]:
    """Everything that is wrong with a workflow, in document order; empty when nothing is.

    A `Problem` whose ``severity`` is ``"warning"`` does not refuse the workflow.

    Args:
        workflow: parsed or built.
        actions: the registered actions; without them the actions that tasks name are not looked up.
        types: the registered types; without them only the form of type names is checked.
        language: with the application's functions; without it a function that is not built in is a warning.

    Example:
        >>> from fluxor_actors.definition import Task
        >>> for problem in validate(Workflow(name="w", pipeline=(Task(name="a", depends_on="b"),))):
        ...     print(problem)
        w/a: `dependsOn`: no task `b` (tasks are w/a)
    """
    problems = Problems()
    check_workflow(workflow, problems, Places(), actions=actions, types=types, language=language)
    return problems.in_order()


def check_workflow(
    workflow: Workflow,
    problems: Problems,
    places: Places,
    *,
    actions: Actions | None = None,
    types: TypeRegistry | None = None,
    language: Language | None = None,
) -> None:
    """As `validate`, adding to ``problems``; ``places`` says where things stand."""
    index = TaskIndex(workflow)
    check = Check(workflow, index, problems, places)
    levels, lowest = index.deepest
    if levels > MAX_DEPTH:
        problems.error(
            f"tasks are nested deeper than {MAX_DEPTH} levels", index.places[lowest].task.position, lowest[:200]
        )
        return
    check_structure(check)
    check_parts(check)
    check_references(check)
    check_flow(check)
    known = check_expressions(check, language)
    check_names(check, known)
    check_types(check, types)
    if actions is not None:
        check_actions(check, actions)
