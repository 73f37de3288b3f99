"""What is run, over and over: a workflow of each kind, who steers it, and what must come of it."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen

from fluxor_actors import Fluxor, ProcessHandle, ProcessOutput, Request, action
from fluxor_actors.actions import ActionContext
from fluxor_actors.definition import Workflow

__all__ = ["KINDS", "Kind", "Load"]

WAIT = 60.0
"""Seconds after which something is taken for lost."""

CHILD = """
name: child
pipeline:
  double: {action: soak:work, input: {n: "${n}"}}
  late: {scheduleIn: 1ms, action: soak:work, input: {n: 1}}
"""


@frozen
class Kind:
    """One kind of workflow. ``calls``: how often it calls an action of this module; ``steer``: what is done to it from outside; ``ends``: what its
    state and its ``result`` are, given ``n``; ``children``: how many sub-workflows it has.
    """

    document: str
    calls: int
    ends: Callable[[int], tuple[str, Any]]
    steer: str = ""
    children: int = 0


KINDS = {
    "chain": Kind(
        """
        name: chain
        pipeline:
          a: {action: soak:work, input: {n: "${n}"}}
          b: {action: soak:work, input: {n: "${a}"}}
          c: {when: "${b > a}", action: soak:work, input: {n: "${b}"}}
        post: {result: "${c}"}
        """,
        3,
        lambda n: ("completed", 8 * n),
    ),
    "loop": Kind(
        """
        name: loop
        init: {count: 0}
        pipeline:
          step: {action: soak:work, input: {n: "${count}"}, post: {count: "${count + 1}"}, goto: {when: "${count < 20}", task: step}}
        post: {result: "${count}"}
        """,
        20,
        lambda n: ("completed", 20),
    ),
    "fan": Kind(
        """
        name: fan
        pipeline:
          all:
            emit: {forEach: "${range(25)}", as: i, task: {one: {action: "soak:work", input: {n: "${i}"}}}}
            await: true
            concurrency: 5
        post: {result: "${sum(all)}"}
        """,
        25,
        lambda n: ("completed", 600),
    ),
    "retried": Kind(
        """
        name: retried
        pipeline:
          flaky: {action: soak:flaky, retry: {type: exponential, maxRetries: 3, delay: 1ms}}
        post: {result: "${flaky}"}
        """,
        3,
        lambda n: ("completed", 3),
    ),
    "caught": Kind(
        """
        name: caught
        pipeline:
          scope:
            tasks:
              late: {await: {signal: never, timeout: 5ms}}
              catch: {action: soak:work, input: {n: "${n}"}}
              finally: {action: soak:work, input: {n: 1}}
          after: {scheduleIn: 5ms, action: soak:work, input: {n: "${n}"}}
        post: {result: "${after}"}
        """,
        3,
        lambda n: ("completed", 2 * n),
    ),
    "signalled": Kind(
        """
        name: signalled
        pipeline:
          go: {await: {signal: go}}
          work: {action: soak:work, input: {n: "${go}"}}
        post: {result: "${work}"}
        """,
        1,
        lambda n: ("completed", 2 * n),
        steer="signal",
    ),
    "paused": Kind(
        """
        name: paused
        pipeline:
          go: {await: {signal: go}}
          work: {action: soak:work, input: {n: "${go + steered}"}}
        post: {result: "${work}"}
        """,
        1,
        lambda n: ("completed", 2 * n + 2),
        steer="pause",
    ),
    "asked": Kind(
        """
        name: asked
        pipeline:
          ask: {action: soak:work, input: {n: "${n}"}, approval: {required: true}}
          catch: {action: nop:nop, post: {refused: true}}
        post: {result: "${refused ? 'refused' : ask}"}
        """,
        -1,
        lambda n: ("completed", 2 * n if n % 3 else "refused"),
    ),
    "cancelled": Kind(
        """
        name: cancelled
        pipeline:
          long: {action: soak:hold}
          finally: {action: soak:work, input: {n: "${n}"}, post: {result: "${n}"}}
        """,
        2,
        lambda n: ("cancelled", n),
        steer="cancel",
    ),
    "parent": Kind(
        """
        name: parent
        pipeline:
          child: {action: workflow:run, input: {location: child, context: {n: "${n}"}}}
          both:
            kind: Parallel
            tasks:
              one: {action: soak:work, input: {n: 1}}
              two: {action: workflow:run, input: {location: child, context: {n: 2}}}
        post: {result: "${child.output.double + both.two.output.double + both.one}"}
        """,
        5,
        lambda n: ("completed", 2 * n + 6),
        children=2,
    ),
}


@define(eq=False)
class Load:
    """The load on one engine. ``started`` and ``calls`` are what must be accounted for at the end; ``wrong`` is what was not as it must be."""

    seed: int
    started: Counter[str] = field(factory=Counter)
    called: int = 0
    due: int = 0
    children: int = 0
    wrong: list[str] = field(factory=list)
    _workflows: dict[str, Workflow] = field(factory=dict)
    _holding: dict[str, threading.Event] = field(factory=dict)
    _lock: threading.Lock = field(factory=threading.Lock)
    _stops: list[Callable[[], object]] = field(factory=list)

    def services(self) -> list[object]:
        """The actions that the workflows call."""

        @action("soak:work")
        def work(n: int) -> int:
            self._call()
            return 2 * n

        @action("soak:flaky")
        def flaky(context: ActionContext) -> int:
            self._call()
            if context.attempt < 3:
                raise ConnectionError("not yet")
            return context.attempt

        @action("soak:hold")
        def hold(context: ActionContext) -> None:
            self._call()
            self._holding[context.process_id].set()
            context.cancelled.wait(WAIT)

        return [work, flaky, hold]

    def begin(self, engine: Fluxor) -> None:
        """Read the documents, and have an answer for whoever asks."""
        engine.runtime.upsert_definition("child", CHILD)
        self._workflows = {name: engine.runtime.decode_yaml_workflow(kind.document) for name, kind in KINDS.items()}
        self._stops.append(engine.approvals.auto_decider(lambda request: (_answer(request), "soak")))

    def end(self) -> None:
        """Answer no more."""
        for stop in self._stops:
            stop()

    def clear(self, engine: Fluxor) -> None:
        """Take what is told of approvals, as somebody who listens would: else it is kept, up to a limit."""
        while engine.approvals.queue.consume(timeout=0) is not None:
            pass

    def run_one(self, engine: Fluxor, chance: random.Random, number: int) -> None:
        """One process of some kind, from its start to its end."""
        name = chance.choice(tuple(KINDS))
        kind, n, process_id = KINDS[name], chance.randrange(1, 100), f"{name}-{number}"
        with self._lock:
            self.started[name] += 1
            self.children += kind.children
            self.due += kind.calls if kind.calls >= 0 else bool(n % 3)
        if kind.steer == "cancel":
            self._holding[process_id] = threading.Event()
        run = engine.runtime.start_process(
            self._workflows[name], {"n": n}, process_id=process_id, labels={"kind": name}
        )
        self._steer(kind.steer, run, n)
        output = run.wait(WAIT)
        found = _found(output)
        if found != kind.ends(n):
            with self._lock:
                self.wrong.append(f"{process_id} with n={n}: {found}, not {kind.ends(n)}; {output.errors}")

    def _steer(self, how: str, run: ProcessHandle, n: int) -> None:
        if how == "signal":
            run.signal("go", n)
        elif how == "pause":
            run.pause()
            run.steer({"steered": 1})
            run.resume()
            run.signal("go", n)
        elif how == "cancel":
            self._holding[run.id].wait(WAIT)
            run.cancel("soaked")
            del self._holding[run.id]

    def _call(self) -> None:
        with self._lock:
            self.called += 1


def _answer(request: Request) -> bool:
    return bool(request.args["n"] % 3)


def _found(output: ProcessOutput) -> tuple[str, Any]:
    if output.timed_out:
        return "not ended", None
    return str(output.state), output.output.get("result")
