"""Actions of the programs that are killed."""

from __future__ import annotations

from fluxor_actors import ActionContext, action


@action("w:double")
def double(n: int) -> int:
    return 2 * n


@action("w:slow")
def slow(n: int, context: ActionContext, ms: int = 5) -> int:
    context.cancelled.wait(ms / 1000)
    return n


@action("w:flaky")
def flaky(n: int, fails: int, context: ActionContext) -> int:
    """Fails the first times, whatever was lost in between."""
    if context.attempt <= fails:
        raise ConnectionError(f"attempt {context.attempt}")
    return n


@action("w:add")
def add(a: int, b: int) -> int:
    return a + b


@action("w:never")
def never() -> None:
    raise ValueError("never works")
