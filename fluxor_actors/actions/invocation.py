"""Calls a method: input in, plain data out."""

from __future__ import annotations

from types import CoroutineType
from typing import Any

from fluxor_actors.actions.bound import BoundMethod
from fluxor_actors.actions.context import ActionContext, current, retire
from fluxor_actors.actions.suspend import Suspend

__all__ = ["invoke"]


def invoke(method: BoundMethod, value: Any, context: ActionContext) -> Any:
    """Run ``method`` in this thread.

    Args:
        method: what to call.
        value: its input as plain data; None counts as an empty one.
        context: seen by the action, and by `current_context` while it runs.

    Returns:
        The output as plain data, or a `Suspend`.

    Raises:
        ActionInputError: the input does not fit; the action was not called.
        UnrepresentableError: the output is not plain data.
        ActionCancelledError: an ``async`` action was cancelled.
        BaseException: whatever the action raises.
    """
    if value is None:
        value = {}
    if method.prepare is not None:
        value = method.prepare(value)
    token = current.set(context)
    try:
        result = method.call(value, context)
        if type(result) is CoroutineType:
            # asyncio takes 40 ms to import, and most actions do without.
            from fluxor_actors.actions.coroutine import complete

            result = complete(result, context.cancellation)
    finally:
        current.reset(token)
        retire(context)
    if result is None or type(result) is Suspend:
        return result
    return method.plain(result)
