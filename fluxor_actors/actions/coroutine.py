"""Runs an ``async`` action to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from fluxor_actors.actions.cancellation import Cancellation
from fluxor_actors.errors import ActionCancelledError

__all__ = ["complete"]


def complete(coroutine: Coroutine[Any, Any, Any], cancellation: Cancellation) -> Any:
    """The result of ``coroutine``, run on a loop of its own in this thread and cancelled with its attempt.

    Raises:
        ActionCancelledError: it was cancelled by ``cancellation``.
    """

    async def supervised() -> Any:
        loop = asyncio.get_running_loop()
        task = loop.create_task(coroutine)

        def stop() -> None:
            # A loop that is closed says so: the action was over before it was cancelled.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)

        cancellation.on_cancel(stop)
        return await task

    try:
        return asyncio.run(supervised())
    except asyncio.CancelledError:
        if cancellation.cancelled:
            raise ActionCancelledError(cancellation.reason or "the action was cancelled") from None
        raise
