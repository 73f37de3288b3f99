"""Turns by a seeded choice, and time that jumps to what is due next."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

from fluxor_actors.actors.dispatcher import Alarm, Runnable, SteppingDispatcher
from fluxor_actors.actors.messages import Deliver
from fluxor_actors.actors.timer import Timer
from fluxor_actors.actors.worker import Invoke, Spawn
from fluxor_actors.process.commands import Command
from fluxor_actors.testing.simulation.chaos import Luck
from fluxor_actors.testing.simulation.clock import VirtualClock
from fluxor_actors.testing.simulation.strand import EngineDied, Strand
from fluxor_actors.testing.simulation.trace import Trace

__all__ = ["Hire", "Runaway", "SimulatedDispatcher", "Turn"]

Hire = Callable[["SimulatedDispatcher", Invoke], Spawn]
"""Makes what starts workers on a dispatcher."""


class Runaway(Exception):  # noqa: N818 - what it is, not what went wrong
    """A simulation goes on and on without coming to an end."""


class Turn:
    """A function in the place of an actor's turn."""

    def __init__(self, label: str, call: Callable[[], object]) -> None:
        self.label = label
        self._call = call

    def run(self) -> None:
        self._call()

    def drop(self) -> None:
        """Too late: the engine is gone."""


class SimulatedDispatcher(SteppingDispatcher):
    """One engine's turns. Whoever waits gives them, and lets time pass when there are none to give.

    Args:
        clock: is moved.
        choose: given how many wait, which one is next.
        luck: what goes wrong.
        trace: is told of every turn.
        hire: makes workers.
        most: turns, before it is said that this goes on for ever.
    """

    def __init__(
        self,
        clock: VirtualClock,
        choose: Callable[[int], int],
        luck: Luck,
        trace: Trace,
        hire: Hire,
        most: int = 200_000,
    ) -> None:
        super().__init__(choose)
        self.clock = clock
        self.trace = trace
        self.dead = False
        self._luck = luck
        self._hire = hire
        self._left = most
        self._later: list[tuple[float, int, Turn]] = []
        self._numbers = itertools.count()
        # Real actions that have begun and are not over: all of them wait, but for the one that this thread waits for.
        self._strands: list[Strand] = []

    def workers(self, invoke: Invoke) -> Spawn:
        """What starts workers: see `WithWorkers`."""
        return self._hire(self, invoke)

    def attend(self, alarm: Alarm) -> None:
        """Have an alarm fire when its time comes. A timer's may do so twice."""
        if isinstance(alarm, Timer):
            alarm.deliver = partial(self._deliver, alarm.deliver)
        super().attend(alarm)

    def _deliver(self, deliver: Deliver, process_id: str, command: Command) -> None:
        deliver(process_id, command)
        if self._luck.strikes("repeats"):
            again = Turn(f"Timer again {process_id}", partial(deliver, process_id, command))
            self.at(self.clock.time() + self._luck.between(0.0, 20.0), again)

    def at(self, instant: float, turn: Turn) -> None:
        """Give a turn at an instant, in seconds since the epoch."""
        heapq.heappush(self._later, (instant, next(self._numbers), turn))

    def begin(self, label: str, call: Callable[[], object]) -> None:
        """Begin something that may wait for what others do: on a stack of its own, and at once."""
        strand = Strand(label, call, lambda: self.dead)
        self._strands.append(strand)
        self._go_on(strand)

    def _go_on(self, strand: Strand) -> None:
        strand.queued = False
        strand.resume()
        if strand.over and strand in self._strands:
            self._strands.remove(strand)

    def die(self, where: str) -> None:
        """Nobody gets another turn."""
        self.trace.add(self.clock.time(), "dies", where)
        self.dead = True

    def limit(self, turns: int) -> None:
        """No more than so many from now on."""
        self._left = turns

    def forget(self) -> None:
        """Take no more, and let go of everything."""
        self._closed = self.dead = True
        for strand in self._strands:
            strand.end()
        self._strands.clear()
        self._waiting.clear()
        self._later.clear()
        self.alarms.clear()

    # Turns ---------------------------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Give one turn.

        Raises:
            EngineDied: before it, or in it.
            Runaway: there were too many.
        """
        if not self.dead and self._waiting and self._luck.strikes("crashes"):
            self.die("between turns")
        self._check()
        for strand in self._strands:
            if not strand.queued and strand.ready(self.clock.time()):
                strand.queued = True
                self.submit(Turn(f"{strand.label} goes on", partial(self._go_on, strand)))
        if not self._waiting:
            return False
        self._left -= 1
        if self._left < 0:
            raise Runaway("too many turns: this goes on and on")
        runnable = self._waiting.pop(self._choose(len(self._waiting)))
        self.trace.add(self.clock.time(), "turn", _label(runnable))
        runnable.run()
        self._check()
        return True

    def _check(self) -> None:
        if self.dead and not self._closed:
            raise EngineDied

    def help(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Give turns, and let time pass, until ``done`` says so; ``timeout``: seconds of that time."""
        until = None if timeout is None else self.clock.time() + timeout
        strand = next((each for each in self._strands if each.here()), None)
        if strand is not None:
            return strand.wait(done, until)
        while not done():
            if not self.step() and not self.pass_time(until):
                return done()
        return True

    # Time ----------------------------------------------------------------------------------------------------------------

    def next_due(self) -> float | None:
        """When something is to happen next by itself; None: nothing is."""
        instants = [due for alarm in self.alarms if (due := alarm.due()) is not None]
        instants += [strand.due for strand in self._strands if strand.due is not None]
        if self._later:
            instants.append(self._later[0][0])
        return min(instants, default=None)

    def pass_time(self, until: float | None = None) -> bool:
        """Go to what is due next, if that is not after ``until``; else to ``until``. Whether anything was due."""
        due = self.next_due()
        if due is None or (until is not None and due > until):
            if until is not None and until > self.clock.time():
                self.clock.jump(until)
                self._fire()
            return False
        if self._luck.strikes("delays"):
            due += self._luck.between(0.1, 10.0)
        self.clock.jump(due)
        self.trace.add(self.clock.time(), "time")
        self._fire()
        while self._later and self._later[0][0] <= self.clock.time():
            self.submit(heapq.heappop(self._later)[2])
        return True

    def _fire(self) -> None:
        for alarm in tuple(self.alarms):
            alarm.fire_due()


def _label(runnable: Runnable) -> str:
    if isinstance(runnable, Turn):
        return runnable.label
    actor: Any = getattr(runnable, "actor", None)
    name = type(runnable if actor is None else actor).__name__
    # Supervisors are told apart by their processes.
    process_id = getattr(actor, "_process_id", "")
    return f"{name} {process_id}" if process_id else name
