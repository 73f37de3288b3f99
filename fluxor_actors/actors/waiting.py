"""Processes that wait for processes: who is told of whose end, and circles, in which nobody ever would be."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fluxor_actors.errors import DeadlockError, ProcessNotFoundError
from fluxor_actors.light import frozen
from fluxor_actors.process.commands import ChildEnded, TimerKind
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.snapshot import ProcessOutput
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState, ProcessState

__all__ = ["Watch", "child_ended", "circle", "refusal", "waits_of"]

_MOST = 1_000


@frozen(slots=True)
class Watch:
    """To the guardian: when ``child`` has ended, tell the process ``parent`` so, for its run ``run``.

    ``foreign``: it was started by somebody else, so that it may wait for ``parent``. ``timed``: the wait ends by itself.
    """

    child: str
    parent: str
    run: str
    foreign: bool = False
    timed: bool = False


def circle(start: str, end: str, waits: Callable[[str], Iterable[str]]) -> list[str] | None:
    """The way from one process to another along what each waits for; None when there is none.

    Example:
        >>> waits = {"a": ["b"], "b": ["x", "c"], "x": []}
        >>> circle("a", "c", lambda each: waits.get(each, ()))
        ['a', 'b', 'c']
    """
    came: dict[str, str | None] = {start: None}
    open_ = [start]
    while open_ and len(came) <= _MOST:
        here = open_.pop()
        if here == end:
            way: list[str] = []
            step: str | None = here
            while step is not None:
                way.append(step)
                step = came[step]
            return way[::-1]
        for each in waits(here):
            if each not in came:
                came[each] = here
                open_.append(each)
    return None


def waits_of(state: State) -> list[str]:
    """The processes for whose end a process waits, however long that takes."""
    return [
        run.child
        for run in state.runs.values()
        if run.status is ExecutionState.WAIT_ASYNC
        and run.task.join is None
        and run.child is not None
        and TimerKind.TIMEOUT not in run.timers
    ]


def refusal(watch: Watch, way: list[str]) -> ChildEnded:
    """What whoever closes a circle is told: not that the other has ended, but that it never could."""
    text = ", and ".join(f"{one} waits for {other}" for one, other in zip([watch.parent, *way], way, strict=False))
    error = DeadlockError(f"none of these processes could ever end: {text}")
    return ChildEnded(watch.run, watch.child, "waiting", None, Failure.of(error, retryable=False))


def child_ended(run: str, child: str, output: ProcessOutput | None) -> ChildEnded:
    """What a run is told that waits for a process; ``output`` is None when there is none of this id."""
    if output is None:
        error = ProcessNotFoundError(child, hint="it was never started, or is kept no longer")
        return ChildEnded(run, child, "unknown", None, Failure.of(error))
    failure = None
    if output.state is not ProcessState.COMPLETED:
        text = "; ".join(output.errors.values()) or str(output.state)
        failure = Failure("ChildFailedError", text, ("ChildFailedError",))
    result = {"processId": child, "output": output.output, "errors": output.errors, "state": str(output.state)}
    return ChildEnded(run, child, str(output.state), result, failure)
