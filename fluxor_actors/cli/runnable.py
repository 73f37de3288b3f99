"""Whether this program can run what it is told to: tasks by their names, and what another program has begun."""

from __future__ import annotations

from collections.abc import Iterable

from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.definition import TaskIndex, TaskReferenceError, Workflow, parse, validate
from fluxor_actors.engine import Fluxor
from fluxor_actors.errors import DefinitionError
from fluxor_actors.storage import Header, Store

__all__ = ["check_runnable", "check_tasks"]

_MOST = 5


def check_runnable(engine: Fluxor, store: Store, headers: Iterable[Header]) -> None:
    """Check that all actions and functions are here that processes need: without them they would fail for good.

    Raises:
        UsageProblem: something is missing.
    """
    seen: set[str] = set()
    for header in headers:
        text = None if header.definition_hash in seen else store.definition(header.definition_hash)
        seen.add(header.definition_hash)
        if text is None:
            continue
        try:
            problems = validate(parse(text), actions=engine.actions, types=engine.types)
        except DefinitionError as error:
            raise UsageProblem(f"process {header.id} cannot go on here: {error}") from error
        for problem in problems:
            if problem.severity == "error":
                task = f"{problem.task}: " if problem.task else ""
                raise UsageProblem(
                    f"process {header.id} cannot go on here, and was left as it is: {task}{problem.message}",
                    "-a MODULE or -a FILE.py adds Python actions",
                )


def check_tasks(workflow: Workflow, names: Iterable[str]) -> None:
    """Check that each of the names means a task.

    Raises:
        UsageProblem: one means none, or several.
    """
    index = TaskIndex(workflow)
    for name in names:
        try:
            index.resolve(name)
        except TaskReferenceError as error:
            near = ", ".join(error.candidates)
            if error.ambiguous:
                raise UsageProblem(
                    f"--task: several tasks of {workflow.name} are named {name!r}", f"write one of {near}"
                ) from error
            known = [each for each in index.places if each != index.root]
            more = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
            hint = f"did you mean {near}?" if near else f"it has {', '.join(known[:_MOST])}{more}"
            raise UsageProblem(f"--task: task {name!r} not found in {workflow.name}", hint) from error
