"""``fluxor validate``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from fluxor_actors.cli.exits import ExitCode
from fluxor_actors.cli.options import ActionsOption, DebugOption, JsonOption, StoreOption

if TYPE_CHECKING:
    from fluxor_actors.definition import Problem

__all__ = ["validate"]


def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Workflow documents; - is standard input.")],
    actions: ActionsOption = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Report everything that is wrong with workflow documents.

    Each problem is one line: file, line, column, severity, message and hint. Exit codes: 0 no errors, 2 errors.
    """
    from fluxor_actors.cli.checking import Checker
    from fluxor_actors.cli.opening import open_engine
    from fluxor_actors.cli.problems import STDIN, problem_data, problem_line

    checker = Checker(open_engine(actions=actions), own_actions=bool(actions))
    found: list[tuple[str, Problem]] = []
    for file in files:
        problems = checker.check(file)
        file = STDIN if file == "-" else file
        found.extend((file, problem) for problem in problems)
        if as_json:
            continue
        for problem in problems:
            typer.echo(problem_line(problem, file))
        if not any(problem.severity == "error" for problem in problems):
            typer.echo(f"{file}: valid")
    if as_json:
        typer.echo(json.dumps([problem_data(problem, file) for file, problem in found], indent=2))
    if any(problem.severity == "error" for _, problem in found):
        raise typer.Exit(ExitCode.USAGE)
