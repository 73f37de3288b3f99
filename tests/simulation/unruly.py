"""What simulations of generated documents share: actions that do anything, and people who do."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from fluxor_actors import ActionContext, Event
from fluxor_actors.errors import FluxorError
from fluxor_actors.testing import (
    Behaviour,
    Call,
    Chaos,
    SimulatedRun,
    SimulationReport,
    chooses,
    dies,
    fails,
    hangs,
    helpful,
    returns,
    simulate,
    takes,
)
from fluxor_actors.testing.simulation.bench import Bench, checked
from tests.generated.documents import document_of

__all__ = ["EVERYTHING", "anything", "crowd", "play", "seeds_that_fail", "unruly"]

EVERYTHING = Chaos(crashes=3, store_failures=3, slow_commits=2, delays=3, repeats=4, lost_workers=1)


def any_behaviour(call: Call, random: Random) -> Behaviour:
    chance = random.random()
    if chance < 0.6:
        return returns({"n": random.randint(0, 9)})
    if chance < 0.72:
        return fails(ValueError("broken"))
    if chance < 0.94:
        return takes(random.choice((0.5, 3, 15, 90)), returns([1, 2]), heeds=random.random() < 0.7)
    # One that never returns is freed by a cancellation or a timeout only: what runs after a cancellation, or again, does return.
    return dies() if chance < 0.97 or call.attempt > 1 or "finally" in call.key else hangs()


anything = chooses(any_behaviour)


def gives(value: Any, context: ActionContext) -> Any:
    """An action that gives work to others: what, is the same for each attempt."""
    random = Random(context.idempotency_key)
    found: list[Any] = []
    for _ in range(random.randint(0, 2)):
        kind = random.choice(("emit", "emit", "call", "leave"))
        if kind == "call":
            found.append(context.call("t", "x", {"n": 1}, timeout=random.choice((None, 5))))
            continue
        group = context.emit_for_each(list(range(random.randint(0, 3))), "n", {"action": "t:x", "input": "${n}"})
        if kind == "emit":
            found.append(context.await_group(group, timeout=random.choice((None, 60))))
    return found


def unruly(run: SimulatedRun) -> None:
    """Do this and that, in any order; then help the process to its end."""
    simulation = run.simulation
    random: Random = Random(f"people {run.simulation.trace.hash}")
    for _ in range(random.randint(0, 8)):
        what = random.choice(
            ("next", "next", "next", "signal", "decide", "pause", "resume", "cancel", "again", "crash")
        )
        try:
            if what == "next":
                simulation.next()
            elif what == "signal":
                run.signal(random.choice(("go", "stop")), 1)
            elif what == "decide" and run.requests():
                decide = run.approve if random.random() < 0.7 else run.reject
                decide(by=random.choice(("ada", "bob", "eve")))
            elif what == "pause":
                run.pause()
            elif what == "resume":
                run.resume()
            elif what == "cancel" and random.random() < 0.4:
                run.cancel("enough")
            elif what == "again":
                run.resume_failed()
        except FluxorError:
            continue  # it is not possible just now
    helpful(run)
    if not run.state.final:
        # It hangs in an action.
        run.cancel("nobody waits for it any more")
        helpful(run)
    if random.random() < 0.3 and run.state in ("failed", "cancelled"):
        run.resume_failed()
        helpful(run)


def play(seed: int, faults: Chaos = EVERYTHING, tries: int = 0, store: str = "memory") -> SimulationReport:
    return simulate(
        document_of(seed),
        seeds=[seed],
        inputs={"fuse": 0 if seed % 7 == 3 else 1},
        actions={"*": anything, "t:x": anything, "t:gives": gives},
        faults=faults,
        drive=unruly,
        tries=tries,
        store=store,
    )


def seeds_that_fail(seeds: range, faults: Chaos = EVERYTHING, store: str = "memory") -> tuple[list[str], Counter[str]]:
    """What is said of each seed that fails, and how many processes ended how."""
    found, states = [], Counter[str]()
    for seed in seeds:
        report = play(seed, faults, store=store)
        states.update(report.states)
        if not report.ok:
            found.append(str(report))
    return found, states


class Heard:
    """A subscriber: what it is told is committed, in order, and never told twice."""

    def __init__(self, simulation: Bench) -> None:
        self.problems: list[str] = []
        self._simulation = simulation
        self._last: dict[str, int] = {}

    def listen(self) -> None:
        """To the engine that lives now."""
        self._simulation.engine.events.subscribe(self)

    def __call__(self, event: Event[Any]) -> None:
        process_id, number = event.context.process_id, event.metadata.get("sequence")
        if number is None or not process_id:
            return
        if number < self._last.get(process_id, 0):
            self.problems.append(
                f"{event.context.event_type} of {process_id} is {number}, after {self._last[process_id]}"
            )
        if number > len(self._simulation.ledger.events(process_id)):
            self.problems.append(f"{event.context.event_type} of {process_id} is {number}, which is not committed")
        self._last[process_id] = number


def crowd(seed: int, store: str = "memory") -> Bench:
    """Three documents at once, with few workers and a subscriber."""
    random = Random(f"crowd {seed}")
    bench = Bench(
        seed,
        actions={"*": anything, "t:x": anything, "t:gives": gives},
        faults=EVERYTHING,
        store=store,
        workers=random.choice((1, 2)),
        action_limits={"t:x": random.choice((1, 2, 5))},
    )
    with checked(bench):
        heard = Heard(bench)
        heard.listen()
        runs = [bench.run(document_of(3 * seed + number), {"fuse": 1}) for number in range(3)]
        heard.listen()
        for run in random.sample(runs, 3):
            unruly(run)
        for run in runs:
            helpful(run)
        assert not heard.problems, heard.problems[:3]
    return bench
