"""Actions of programs that are killed at every step: they give work to each other, and wait."""

from __future__ import annotations

from typing import Any

from fluxor_actors import ActionContext, action


@action("k:square")
def square(n: int) -> int:
    return n * n


@action("k:gather")
def gather(upto: int, context: ActionContext) -> Any:
    task = {"square": {"action": "k:square", "input": {"n": "${n}"}}}
    group = context.emit_for_each(range(upto), "n", task)
    below = context.call("k", "gather", {"upto": upto - 1}) if upto > 1 else []
    return [context.await_group(group), below]


@action("k:scatter")
def scatter(upto: int, context: ActionContext) -> str:
    return context.emit_one({"square": {"action": "k:square", "input": {"n": upto}}})
