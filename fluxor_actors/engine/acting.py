"""Whether a thread is inside one of an engine's actions, and what holds for it then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fluxor_actors.actions import ActionContext, current_context
from fluxor_actors.actions.context import engine_side
from fluxor_actors.actors.parts import Parts
from fluxor_actors.engine.hosting import ContextHost

__all__ = ["acting", "resting"]


def acting(parts: Parts | None) -> ActionContext | None:
    """The context of the action of this engine that runs in this thread, or this asyncio task; None outside of one. Without parts: of any engine."""
    context = current_context()
    side = None if context is None else engine_side(context)
    if side is None:
        return None
    _, host = side
    return context if isinstance(host, ContextHost) and (parts is None or host.asking.serves(parts)) else None


@contextmanager
def resting(parts: Parts | None) -> Iterator[None]:
    """Whoever waits in an action lets others have its worker's place for as long as this lasts. Elsewhere it does nothing. Without parts: any engine's."""
    context = acting(parts)
    side = None if context is None else engine_side(context)
    if side is None:
        yield
        return
    attempt, host = side
    assert isinstance(host, ContextHost)
    with host.resting(attempt):
        yield
