"""What reaches every process that is started inside a ``with engine.context(…)``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from attrs import field, frozen

from fluxor_actors.policy import Policy
from fluxor_actors.progress import Progress

__all__ = ["Ambient", "ambient", "surround"]

ProgressListener = Callable[[str, Progress], object]


@frozen
class Ambient:
    """Values for the actions of processes, who is told of their progress, and which actions may run."""

    values: Mapping[str, Any] = field(factory=dict)
    progress: ProgressListener | None = None
    policies: tuple[Policy, ...] = ()


_current: ContextVar[Ambient] = ContextVar("fluxor_actors.ambient")


def ambient() -> Ambient:
    """What is in force here."""
    return _current.get(None) or Ambient()


@contextmanager
def surround(
    values: Mapping[str, Any] | None, progress: ProgressListener | None, policy: Policy | None = None
) -> Iterator[Ambient]:
    """Put values in force, over those around, and a policy, beside those around."""
    outer = ambient()
    policies = outer.policies if policy is None else (*outer.policies, policy)
    inner = Ambient({**outer.values, **(values or {})}, progress or outer.progress, policies)
    token = _current.set(inner)
    try:
        yield inner
    finally:
        _current.reset(token)
