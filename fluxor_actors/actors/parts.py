"""What an engine's actors share: one bundle, made by the façade, handed to each."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from attrs import define, field
from pykka import ActorDeadError

from fluxor_actors.actors.conversation import Conversations
from fluxor_actors.actors.directory import Directory
from fluxor_actors.actors.dispatcher import Dispatcher
from fluxor_actors.actors.event_service import EventService
from fluxor_actors.actors.folding import Keeping
from fluxor_actors.actors.health import Health
from fluxor_actors.actors.journal import Journal
from fluxor_actors.actors.messages import Mailbox
from fluxor_actors.actors.mirror import Mirror
from fluxor_actors.actors.onlookers import Onlookers
from fluxor_actors.actors.timer import Timer
from fluxor_actors.clock import Clock
from fluxor_actors.faults import Faults
from fluxor_actors.light import frozen
from fluxor_actors.policy import Policy
from fluxor_actors.process.commands import Command
from fluxor_actors.process.events import Event
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.state import State
from fluxor_actors.process.turn import Rules
from fluxor_actors.storage import Store

__all__ = ["Elsewhere", "Observer", "Origin", "Parts"]

_logger = logging.getLogger(__name__)


@frozen(slots=True, eq=False)
class Origin:
    """Where an assignment comes from: what the action's context is made of. ``environment``: what the process knows of its surroundings.

    ``policies``: of the call that started the process, and of those around it.
    """

    plan: Plan
    task: int
    scheduled_at: float
    values: Mapping[str, Any]
    environment: Mapping[str, Any]
    policies: tuple[Policy, ...] = ()


class Elsewhere(Protocol):
    """The other engines on the same store."""

    def holds(self, process_id: str) -> bool:
        """Whether the process is, or now becomes, this engine's."""
        ...

    def post(self, process_id: str, command: Command) -> None:
        """Leave a command for whoever runs the process."""
        ...


class Observer(Protocol):
    """Who traces and measures what processes do. Called by supervisors; never waits, and never raises."""

    def committed(self, state: State, events: Sequence[Event], at: float) -> None:
        """Events of a process are committed; its state may be ahead of them."""
        ...

    def ended(self, state: State) -> None:
        """A process has come to its end, and that is committed."""
        ...


@define(slots=True, eq=False)
class Parts:
    """The engine's parts. ``guardian`` and ``allocator`` are set when they are started.

    ``acting``: the threads that are inside an action at this moment. ``faults``: called at fault points.
    ``mirror``: who copies what is committed, if anybody does. ``health``: whether the store can be reached. ``elsewhere``: for processes of other
    engines on the same store, None without any. ``idle``: since when, in monotonic seconds, nothing of a process is under way; None when processes
    are never left to the store. ``gate``: who brings approval requests to people, and hears what becomes of them; None: nobody.
    ``conversations``: what actions that run have asked their processes. ``onlookers``: who waits, outside, for what happens in a process.
    ``ticks``: seconds that only grow, by which it is told how long something lasts.
    ``observer``: who traces and measures, if anybody does. ``before_timer``: what a process is told before a timer of its that is due; None: nothing.
    """

    clock: Clock
    rules: Rules
    store: Store
    directory: Directory
    dispatcher: Dispatcher
    events: EventService
    journal: Journal
    timer: Timer
    plan_of: Callable[[str], Plan]
    guardian: Mailbox
    allocator: Mailbox
    acting: set[int] = field(factory=set)
    conversations: Conversations = field(factory=Conversations)
    onlookers: Onlookers = field(factory=Onlookers)
    faults: Faults | None = None
    mirror: Mirror | None = None
    health: Health | None = None
    elsewhere: Elsewhere | None = None
    idle: dict[str, float] | None = None
    observer: Observer | None = None
    keeping: Keeping | None = None
    gate: Mailbox | None = None
    before_timer: Callable[[str, Command], Command | None] | None = None
    ticks: Callable[[], float] = time.monotonic

    def tell_guardian(self, message: Any) -> bool:
        """Tell the guardian something. False when it has stopped, as the engine does."""
        return _tell(self.guardian, message)

    def tell_allocator(self, message: Any) -> bool:
        """Tell the allocator something. False when it has stopped, as the engine does."""
        return _tell(self.allocator, message)

    def tell_gate(self, message: Any) -> None:
        """Tell the gate something, if there is one: what it is told stands in the store already."""
        if self.gate is not None:
            _tell(self.gate, message)


def _tell(mailbox: Mailbox, message: Any) -> bool:
    try:
        mailbox.tell(message)
    except ActorDeadError:
        # What was to be done is in the journals, for the next engine to take up.
        _logger.debug("the engine has stopped before %s", type(message).__name__)
        return False
    return True
