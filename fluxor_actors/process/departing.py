"""The end of a task whose action has emitted something: what becomes of it."""

from __future__ import annotations

from fluxor_actors.process.events import Outcome
from fluxor_actors.process.run import Run
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.process.turn import Step, Turn

__all__ = ["part_from_groups"]

_E = ExecutionState


def part_from_groups(turn: Turn, run: Run) -> None:
    """Stop what it has emitted, if it failed or was stopped. Else that goes on; what nobody has awaited must not have failed."""
    assert run.delegated is not None
    state = turn.state
    good = run.status is _E.COMPLETED or run.status is _E.SKIPPED
    for group_id in run.delegated.groups.values():
        group = state.runs.get(group_id)
        if group is None:
            continue
        if not group.status.final:
            if not good:
                turn.then(Step.CLOSE, group, Outcome.CANCELLED)
        elif good and group.status is _E.FAILED and state.root is not None:
            turn.then(Step.CLOSE, state.root, Outcome.FAILED, group.failure)
