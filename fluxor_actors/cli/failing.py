"""Errors as one or two readable lines, and the exit code that each means."""

from __future__ import annotations

import re
import sys
import traceback

from fluxor_actors import errors
from fluxor_actors.cli.exits import ExitCode
from fluxor_actors.cli.text import printable

__all__ = ["UsageProblem", "code_of", "complain", "describe", "report"]

_MOST_PROBLEMS = 20
_MISUSES = (
    errors.ConfigError,
    errors.DefinitionError,
    errors.InputError,
    errors.NotFoundError,
    errors.RegistryError,
    errors.UnrepresentableError,
)
_NO_SERVICE = re.compile(r"\bservice '[^']*' not found")


class UsageProblem(Exception):  # noqa: N818 - not for programs: it never leaves the command line
    """Something on the command line is wrong. ``hint``: what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


def code_of(error: BaseException) -> ExitCode:
    """The exit code for an error."""
    if isinstance(error, TimeoutError):
        return ExitCode.UNFINISHED
    return ExitCode.USAGE if isinstance(error, (*_MISUSES, UsageProblem)) else ExitCode.FAILED


def report(error: BaseException, *, debug: bool) -> ExitCode:
    """Say on standard error what is wrong. Returns the exit code."""
    if debug:
        traceback.print_exception(error)
    for line in describe(error):
        print(line, file=sys.stderr)
    return code_of(error)


def describe(error: BaseException) -> list[str]:
    """The lines that say what is wrong."""
    if isinstance(error, errors.DefinitionError) and error.problems:
        return _definition(error)
    if isinstance(error, UsageProblem):
        return complain(str(error), error.hint)
    if isinstance(error, (errors.FluxorError, OSError)):
        return complain(str(error))
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return complain(f"this should not happen: {text}", "--debug shows the traceback")


def complain(message: str, hint: str = "") -> list[str]:
    """An error's lines: the message, of which further lines are indented, and the hint."""
    first, *more = message.strip().splitlines() or [""]
    lines = [f"error: {printable(first)}", *(f"  {printable(line)}" for line in more)]
    return [*lines, f"  hint: {hint}"] if hint else lines


def _definition(error: errors.DefinitionError) -> list[str]:
    from fluxor_actors.cli.problems import problem_line  # it needs definitions, which take a while to load

    lines = [problem_line(problem) for problem in error.problems[:_MOST_PROBLEMS]]
    if len(error.problems) > _MOST_PROBLEMS:
        lines.append(f"… and {len(error.problems) - _MOST_PROBLEMS} more; `fluxor validate` lists all")
    if any(_NO_SERVICE.search(line) for line in lines):
        lines.append("  hint: Python actions are added with --actions MODULE or --actions FILE.py")
    return lines
