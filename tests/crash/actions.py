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


@action("w:share")
def share(items: list[int], context: ActionContext) -> int:
    """Has others work, waits for them, and calls one more."""
    group = context.emit_for_each(items, "item", {"part": {"action": "w:double", "input": {"n": "${item}"}}})
    total = sum(context.await_group(group))
    return int(context.call("w", "add", {"a": total, "b": 1}))


@action("w:never")
def never() -> None:
    raise ValueError("never works")
