"""What several test modules need."""

from __future__ import annotations

from textwrap import dedent

import pytest

from fluxor_actors.definition import Problem, Workflow, parse, validate
from fluxor_actors.errors import DefinitionError

__all__ = ["problems_of", "read", "refused", "warnings_of"]


def read(text: str, **options) -> Workflow:
    """The workflow in an indented text."""
    return parse(dedent(text), "w.yaml", **options)


def problems_of(text: str, **options) -> list[Problem]:
    """The problems for which a text is refused."""
    with pytest.raises(DefinitionError) as caught:
        read(text, **options)
    assert caught.value.problems
    return list(caught.value.problems)


def refused(text: str, **options) -> str:
    """All that is said when a text is refused."""
    return "\n".join(str(problem) for problem in problems_of(text, **options))


def warnings_of(text: str) -> list[str]:
    """What validation warns of."""
    found = validate(read(text))
    assert all(problem.severity == "warning" for problem in found)
    return [str(problem) for problem in found]
