"""Strands of control: generators that wait for conditions. Looking at all conditions again and again is slow, and cannot miss anything."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from attrs import define

__all__ = ["Strand", "Strands", "Timer", "Wait", "Waiting"]


@define(eq=False)
class Wait:
    """A condition. ``last``: to be looked at only when nobody else can go on."""

    condition: Callable[[], bool]
    last: bool = False


Waiting = Generator[Wait, None, Any]


@define(eq=False)
class Timer:
    due: float
    what: str
    fired: bool = False


@define(eq=False)
class Strand:
    steps: Waiting
    wait: Wait
    new: bool = True


class Strands:
    """All strands, the time, and the timers for which they wait."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.strands: list[Strand] = []
        self.timers: list[Timer] = []
        self.ties = 0
        #: how often everything has come to a rest
        self.step = 0

    def start(self, steps: Waiting) -> None:
        """A strand begins, as soon as the one that has started it waits."""
        self.strands.append(Strand(steps, Wait(lambda: True)))

    def timer(self, delay: float, what: str) -> Timer:
        timer = Timer(self.now + delay, what)
        self.timers.append(timer)
        return timer

    def stop(self, timer: Timer | None) -> None:
        if timer in self.timers:
            assert timer is not None
            self.timers.remove(timer)

    def settle(self) -> None:
        """Everything that needs no time to pass."""
        while strand := self._ready():
            strand.new = False
            try:
                strand.wait = next(strand.steps)
            except StopIteration:
                self.strands.remove(strand)
        self.step += 1

    def _ready(self) -> Strand | None:
        """Who begins goes first: what is started together gets under way together."""
        for strand in self.strands:
            if strand.new:
                return strand
        for last in (False, True):
            for strand in self.strands:
                if strand.wait.last == last and strand.wait.condition():
                    return strand
        return None

    def next_due(self) -> float | None:
        return min((timer.due for timer in self.timers), default=None)

    def advance(self) -> None:
        """Let time pass until the next timers are due, and settle."""
        due = self.next_due()
        assert due is not None
        self.now = due
        fired = 0
        while falling := [timer for timer in self.timers if timer.due <= due]:
            fired += 1
            self.timers.remove(falling[0])
            falling[0].fired = True
            self.settle()
        self.ties += fired > 1
