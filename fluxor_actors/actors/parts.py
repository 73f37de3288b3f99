"""What an engine's actors share: one bundle, made by the façade, handed to each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, frozen

from fluxor_actors.actors.directory import Directory
from fluxor_actors.actors.dispatcher import Dispatcher
from fluxor_actors.actors.event_service import EventService
from fluxor_actors.actors.messages import Mailbox
from fluxor_actors.actors.timer import Timer
from fluxor_actors.clock import Clock
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.turn import Rules
from fluxor_actors.storage import Store

__all__ = ["Listening", "Origin", "Parts"]


@define(slots=True)
class Listening:
    """Which listeners there are, so that nothing is made ready for none."""

    state: bool = False
    when: bool = False


@frozen(slots=True, eq=False)
class Origin:
    """Where an assignment comes from: what the action's context is made of."""

    plan: Plan
    task: int
    scheduled_at: float
    values: Mapping[str, Any]


@define(slots=True, eq=False)
class Parts:
    """The engine's parts. ``guardian`` and ``allocator`` are set when they are started."""

    clock: Clock
    rules: Rules
    store: Store
    directory: Directory
    dispatcher: Dispatcher
    events: EventService
    timer: Timer
    plan_of: Callable[[str], Plan]
    listening: Listening
    guardian: Mailbox
    allocator: Mailbox
