"""The whole engine on one thread, with the next actor chosen by a seed: it comes to what the model comes to, in every order.

There are no steps here. What an action does, and how long it takes, is said beforehand, by its run and its attempt; the model and the simulation each go through
it in their own time, and have to end alike.
"""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Iterable
from random import Random
from typing import Any

from attrs import frozen

from fluxor_actors.names import split_execution_id
from fluxor_actors.testing import simulate
from fluxor_actors.testing.simulation.behaviour import Behaviour, Call, chooses
from fluxor_actors.testing.simulation.chaos import Chaos
from fluxor_actors.testing.simulation.run import SimulatedRun
from tests.generated.documents import plan_of_document
from tests.model.generator import INPUTS, Tree, generate
from tests.model.lockstep import ERRORS, Disagreement, differences
from tests.model.model import Model, Outcome
from tests.model.subject import GRACE, NOW, model_id, without_process

__all__ = ["check_simulated"]

_REPEATS = Chaos(crashes=0, store_failures=0, slow_commits=0, delays=0, repeats=3)
"""Nothing goes wrong but that messages come twice."""


@frozen
class _Deed:
    """What an attempt does, ``seconds`` after it has begun."""

    seconds: float
    kind: str
    result: Any


def _deed(seed: int, run: str, attempt: int) -> _Deed:
    random = Random(f"{seed} {run} {attempt}")
    seconds = random.randrange(1, 20_000_000) / 1_000_000
    if random.randrange(6) == 0:
        return _Deed(seconds, "failure", ERRORS[random.choice(sorted(ERRORS))])
    number = random.randrange(100)
    return _Deed(seconds, "value", random.choice((number, {"n": number, "from": run}, [number], None)))


def _modelled(seed: int, document: Tree) -> Model | None:
    """The model at the end; None if two things happen at once, or a signal is waited for for ever."""
    model = Model(document, INPUTS, NOW, GRACE)
    model.start()
    ends: dict[tuple[str, int], float] = {}
    while not model.ended:
        for key in model.attempts:
            ends.setdefault(key, model.strands.now + _deed(seed, *key).seconds)
        ends = {key: at for key, at in ends.items() if key in model.attempts}
        due = model.strands.next_due()
        times = sorted([*ends.values(), *(timer.due for timer in model.strands.timers)])
        if not times or any(b - a < 1e-5 for a, b in itertools.pairwise(times)) or model.unsettled:
            return None
        if due is not None and due == times[0]:
            model.strands.advance()
            continue
        key = min(ends, key=lambda each: ends[each])
        model.strands.now = ends.pop(key)
        deed = _deed(seed, *key)
        model.finish(key, deed.kind, deed.result)
    return None if model.unsettled else model


def check_simulated(seed: int, orders: Iterable[int] = range(3)) -> str:
    """One document, in several orders. Returns the state in which the process has ended."""
    document = generate(seed)
    if plan_of_document(document) is None:
        return "invalid"
    model = _modelled(seed, document)
    if model is None:
        return "unsettled"

    def act(call: Call, random: Random) -> Behaviour:
        deed = _deed(seed, model_id(split_execution_id(call.key)[1]), call.attempt)
        if deed.kind == "value":
            return Behaviour(value=deed.result, seconds=deed.seconds, heeds=False)
        error = getattr(builtins, deed.result[0])("broken")
        return Behaviour(error=error, seconds=deed.seconds, heeds=False)

    def expect(run: SimulatedRun) -> bool:
        found = Outcome(
            str(run.state), without_process(run.output, run.id), frozenset(run.errors),
            {model_id(split_execution_id(each.id)[1]): (str(each.state), each.attempt) for each in run.executions()},
        )  # fmt: skip
        different = differences(model, found)
        assert not different, different
        return True

    report = simulate(
        document, orders, inputs=INPUTS, actions={"t:x": chooses(act)}, faults=_REPEATS, expect=expect, tries=0,
        cancel_grace=GRACE, max_transitions=1000, workers=64,
    )  # fmt: skip
    if not report.ok:
        raise Disagreement(f"{report.failures[0].findings}\nof {document}")
    return model.outcome().state
