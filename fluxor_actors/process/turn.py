"""One decision under way: what has been decided so far, and what is still to be looked at."""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from typing import Any

from attrs import frozen

from fluxor_actors.policy import Policy
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.effects import ApprovalEffect, Effect, StartTimer, StopTimer
from fluxor_actors.process.events import Event
from fluxor_actors.process.evolve import RULES
from fluxor_actors.process.run import Run
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ENDED

__all__ = ["Note", "Rules", "Step", "Turn"]


class Step(IntEnum):
    """What may stand on the agenda. Each is a function of one concern; the table is in `decide`."""

    BEGIN = 0
    ADVANCE = 1
    CHILD_ENDED = 2
    DEPENDENCY_ENDED = 3
    COMPLETE = 4
    FAIL = 5
    CANCEL = 6
    CLOSE = 7
    SETTLE = 8
    JUMP = 9
    FIRE = 10
    OPEN = 11
    CHECK_JOIN = 12
    STOP = 13
    RESTART = 14
    REVIVE = 15
    RELEASE = 16
    GO_ON = 17


@frozen(slots=True)
class Rules:
    """The engine's settings that decisions depend on. ``cancel_grace`` in seconds."""

    cancel_grace: float = 5.0
    max_transitions: int = 100_000
    chunk: int = 1_000
    policy: Policy | None = None
    approval_skip_prefixes: tuple[str, ...] = ()


@frozen(slots=True)
class Note:
    """Something to publish that is no fact of the process: a condition was evaluated."""

    run: str
    task: int
    expression: str
    result: bool


class Turn:
    """Collects events and effects. Every event is applied at once; what follows from it goes on the agenda, first come, first served."""

    __slots__ = ("agenda", "asked", "effects", "events", "notes", "now", "plan", "rules", "state")

    def __init__(self, state: State, now: float, rules: Rules) -> None:
        self.state = state
        self.plan = state.plan
        self.now = now
        self.rules = rules
        self.events: list[Event] = []
        self.effects: list[Effect] = []
        self.notes: list[Note] = []
        self.agenda: deque[tuple[Any, ...]] = deque()
        #: what has happened to approval requests, once anything has
        self.asked: list[ApprovalEffect] | None = None

    def emit(self, event: Event) -> None:
        """Record a fact and let it take effect on the state."""
        state = self.state
        RULES[type(event)](state, event)
        state.sequence += 1
        self.events.append(event)

    def do(self, effect: Effect) -> None:
        """Have something done outside, once the events are committed."""
        self.effects.append(effect)

    def report(self, effect: ApprovalEffect) -> None:
        """Have people told of what has become of an approval request, and have it kept where requests are looked for."""
        if self.asked is None:
            self.asked = []
        self.asked.append(effect)
        self.effects.append(effect)

    def then(self, step: Step, *args: Any) -> None:
        """Put a step at the end of the agenda."""
        self.agenda.append((step, *args))

    def first(self, step: Step, *args: Any) -> None:
        """Put a step at the head of the agenda: stopping goes before whatever else was to be done."""
        self.agenda.appendleft((step, *args))

    def start_timer(self, run: Run, kind: TimerKind, due: float) -> None:
        self.effects.append(StartTimer(run.id, kind, due))

    def stop_timer(self, run: Run, kind: TimerKind) -> None:
        """Withdraw a timer of a run, if it is set. Called before the event that forgets it."""
        if kind in run.timers:
            self.effects.append(StopTimer(run.id, kind))

    def stop_timers(self, run: Run) -> None:
        """Withdraw all timers of a run. Called before the event that forgets them."""
        for kind in run.timers:
            self.effects.append(StopTimer(run.id, kind))

    def live(self, run: Run) -> bool:
        """Whether the run is still to end."""
        return run.status not in ENDED
