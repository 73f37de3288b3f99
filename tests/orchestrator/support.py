"""Actions whose body is a test's own, and others for them to use."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from fluxor_actors import ActionContext, Fluxor, ProcessHandle, action
from tests.engine.support import WAIT, start

__all__ = ["DO", "EXTRA", "Steps", "doing", "double", "errors", "outcome", "refuse"]

DO = "name: w\npipeline: {do: {action: t:do}}"
EXTRA = "name: w\npipeline: {do: {action: t:do}, extra: {when: '${false}', action: t:double, input: {n: 10}}}"
"""``extra`` is there to be emitted."""


def doing(call: Callable[[ActionContext], Any], name: str = "t:do") -> Any:
    """An action that does what the test says."""

    @action(name)
    def do(context: ActionContext) -> Any:
        return call(context)

    return do


@action("t:double")
def double(n: int) -> int:
    return 2 * n


@action("t:refuse")
def refuse(n: int = 0) -> int:
    if n % 2:
        raise ValueError(f"{n} is odd")
    return n


class Steps:
    """What actions tell a test of how far they are."""

    def __init__(self) -> None:
        self._told: SimpleQueue[Any] = SimpleQueue()

    def tell(self, what: Any) -> None:
        self._told.put(what)

    def next(self) -> Any:
        try:
            return self._told.get(timeout=WAIT)
        except Empty:
            raise AssertionError("nothing more was told") from None

    def none(self) -> bool:
        """Whether nothing more has been told."""
        return self._told.empty()


def outcome(engine: Fluxor, text: str = DO, **options: Any) -> Any:
    """What ``t:do`` returns."""
    output = start(engine, text, **options).wait(WAIT)
    assert not output.timed_out, output
    output.raise_for_error()
    return output.output["do"]


def errors(handle: ProcessHandle) -> dict[str, str]:
    """Why a process has failed."""
    output = handle.wait(WAIT)
    assert not output.timed_out, output
    return output.errors
