"""Problems of documents as lines and as JSON."""

from __future__ import annotations

from typing import Any

from fluxor_actors.cli.text import printable
from fluxor_actors.definition import Problem

__all__ = ["STDIN", "problem_data", "problem_line"]

STDIN = "<stdin>"


def problem_line(problem: Problem | object, file: str = "") -> str:
    """``file:line:column: severity: task: message (hint)``; ``file`` where the problem has no place of its own.

    Example:
        >>> from fluxor_actors.definition import Position
        >>> problem_line(Problem("nothing to run", Position(3, 5, "a.yaml"), "order/ship", "name an action"))
        'a.yaml:3:5: error: order/ship: nothing to run (name an action)'
    """
    if not isinstance(problem, Problem):
        return printable(f"{file}: error: {problem}" if file else f"error: {problem}")
    position = problem.position
    where = f"{position.source or file or STDIN}:{position.line}:{position.column}: " if position else ""
    if not where and file:
        where = f"{file}: "
    task = f"{problem.task}: " if problem.task else ""
    hint = f" ({problem.hint})" if problem.hint else ""
    return printable(f"{where}{problem.severity}: {task}{problem.message}{hint}")


def problem_data(problem: Problem | object, file: str) -> dict[str, Any]:
    """The problem for programs."""
    if not isinstance(problem, Problem):
        problem = Problem(str(problem))
    position = problem.position
    return {
        "file": (position.source if position else "") or file,
        "line": position.line if position else None,
        "column": position.column if position else None,
        "severity": problem.severity,
        "task": problem.task,
        "message": problem.message,
        "hint": problem.hint,
    }
