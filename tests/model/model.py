"""The model as a whole: a process, and what may happen to it from outside."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from tests.model.fans import Fans
from tests.model.nodes import Node

__all__ = ["Model", "Outcome", "Under"]

Under = dict[tuple[str, int], Any]
"""Attempts under way, and their inputs."""


@frozen
class Outcome:
    """How a process ended: its executions' states and attempts stand under the ids of their runs."""

    state: str
    output: dict[str, Any]
    errors: frozenset[str]
    executions: dict[str, tuple[str, int]]


class Model(Fans):
    """A process of the model."""

    reason = ""

    @property
    def ended(self) -> bool:
        return self.root.ended

    def under_way(self) -> Under:
        return {key: attempt.input for key, attempt in self.attempts.items()}

    def start(self) -> None:
        self.strands.settle()

    def finish(self, key: tuple[str, int], kind: str, result: Any) -> None:
        """An attempt ends: with a ``value``, or a ``failure`` that has these types."""
        self.attempts[key].outcome = (kind, result)
        self.strands.settle()

    def signal(self, name: str, value: Any) -> None:
        waiters = self.waiters.get(name)
        if waiters:
            waiters.pop(0).received.append(value)
        else:
            self.signals.setdefault(name, []).append(value)
        self.strands.settle()

    def cancel(self, reason: str) -> None:
        self.reason = reason
        self.root.cancel()
        self.strands.settle()

    def open_ended(self, run_id: str, found: tuple[str, int] | None) -> bool:
        """Whether it is open what becomes of a run, since several things happen at one instant.

        One that begins and ends in a step in which something is stopped may be stopped itself, or not; and so may one that has waited for
        another that ends in that step.
        """
        run = self.runs.get(run_id)
        if run is None:
            around = self.runs.get(run_id.rpartition("/")[0])
            late = around is not None and around.ended_at in self.stopping and _depends(around.node)
            return found == ("cancelled", 0) or (late and found in (("completed", 0), ("skipped", 0)))
        if (
            run.ended_at in self.stopping
            and found is not None
            and not found[1]
            and not run.attempt
            and _depends(run.node)
        ):
            return True
        at_once = run.begun_at == run.ended_at and run.ended_at in self.stopping and not run.attempt
        return at_once and (found is None or (found[0] in ("completed", "skipped", "cancelled") and not found[1]))

    def outcome(self) -> Outcome:
        errors = set()
        if self.root.failure is not None:
            errors.add(self.root.failure.task)
        if self.reason:
            errors.add(self.root.id)
        return Outcome(
            "cancelled" if self.reason else self.root.state,
            dict(self.session.names),
            frozenset(errors),
            {run.id: (run.state, run.attempt) for run in self.runs.values()},
        )


def _depends(node: Node) -> bool:
    """Whether it is part of what waits for another task."""
    around: Node | None = node
    while around is not None:
        if "dependsOn" in around.spec:
            return True
        around = around.parent
    return any("dependsOn" in each.spec for each in node.walk())
