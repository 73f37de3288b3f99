"""What several test modules need."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from fluxor_actors.definition import Problem, Workflow, parse, validate
from fluxor_actors.errors import DefinitionError

__all__ = ["problems_of", "read", "refused", "warnings_of"]


def read(text: str, **options: Any) -> Workflow:
    """The workflow in an indented text."""
    return parse(dedent(text), "w.yaml", **options)


def problems_of(text: str, **options: Any) -> list[Problem]:
    """The problems for which a text is refused."""
    with pytest.raises(DefinitionError) as caught:
        read(text, **options)
    found = [problem for problem in caught.value.problems if isinstance(problem, Problem)]
    assert found
    assert len(found) == len(caught.value.problems)
    return found


def refused(text: str, **options: Any) -> str:
    """All that is said when a text is refused."""
    return "\n".join(str(problem) for problem in problems_of(text, **options))


def warnings_of(text: str) -> list[str]:
    """What validation warns of."""
    found = validate(read(text))
    assert all(problem.severity == "warning" for problem in found)
    return [str(problem) for problem in found]
