"""Whether a process goes on by itself, and what it waits for if it does not."""

from __future__ import annotations

from collections.abc import Iterator

from fluxor_actors.cli.explanations import waiting_line
from fluxor_actors.engine import Fluxor
from fluxor_actors.process.explanation import Cause, Explanation
from fluxor_actors.process.states import ProcessState

__all__ = ["asks_for", "at_rest", "rest_of"]

_MOVING = frozenset({Cause.ACTION, Cause.LIMIT, Cause.RETRY, Cause.TIMER, Cause.TURN, Cause.WORKER})
_ASKING = frozenset({Cause.APPROVAL, Cause.PAUSE, Cause.SIGNAL})


def at_rest(engine: Fluxor, process_id: str) -> bool:
    """Whether a process, and all that it waits for, does nothing until somebody outside does."""
    return rest_of(engine, process_id) is not None


def rest_of(engine: Fluxor, process_id: str) -> Explanation | None:
    """Why it is at rest; None if it is not."""
    if engine.runtime.progress(process_id).running:
        return None
    explanation = engine.runtime.explain(process_id)
    return None if explanation.state.final or _moving(explanation) else explanation


def asks_for(explanation: Explanation, named: str = "") -> Iterator[str]:
    """A line for each thing that only somebody outside can do, with the command that does it.

    Args:
        explanation: of a process that is at rest.
        named: what is added to a command so that it finds the store.
    """
    if explanation.state is ProcessState.PAUSED:
        yield f"{explanation.process_id}  {explanation.reason}: {explanation.remedy}{named}"
    else:
        for each in explanation.waiting:
            if each.cause in _ASKING:
                yield f"{explanation.process_id}  {waiting_line(each, named)}"
    for child in explanation.children:
        yield from asks_for(child, named)


def _moving(explanation: Explanation) -> bool:
    """Whether a process, or one that it waits for, goes on by itself."""
    if any(each.cause in _MOVING for each in explanation.waiting):
        return True
    return any(not child.state.final and _moving(child) for child in explanation.children)
