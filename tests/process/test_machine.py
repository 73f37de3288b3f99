"""Whatever the document, and whatever happens in whatever order: the rules of the core hold, and the process comes to its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import event, given, note, settings
from hypothesis import strategies as st

from fluxor_actors.process import commands as do
from fluxor_actors.process.decide import Rules
from fluxor_actors.process.explaining import Since, explain_state
from tests.process.documents import Tree, documents, plan_of_document
from tests.process.world import World

# With these, going on after a failure cannot help: the definition leads there.
_HOPELESS = {"GroupNotFoundError", "ActionError", "DependencyFailedError", "ActionTimeoutError", "AwaitTimeoutError"}

_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("succeed"), st.integers(0, 5)),
        st.tuples(st.just("succeed"), st.integers(0, 5)),
        st.tuples(st.just("fail"), st.integers(0, 5)),
        st.tuples(st.just("begin"), st.integers(0, 5)),
        st.tuples(st.just("late"), st.integers(0, 5)),
        st.tuples(st.just("beat"), st.integers(0, 5)),
        st.tuples(st.just("suspend"), st.integers(0, 5)),
        st.tuples(st.just("child"), st.booleans()),
        st.tuples(st.just("emit"), st.integers(0, 5)),
        st.tuples(st.just("emit"), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.integers(0, 5)),
        st.tuples(st.just("bring"), st.integers(0, 5)),
        st.tuples(st.just("enough"), st.booleans()),
        st.tuples(st.just("time"), st.sampled_from([0.5, 3.0, 10.0, 60.0])),
        st.tuples(
            st.sampled_from(["pause", "resume", "cancel", "again", "steer", "crash", "reload", "settle"]), st.just(0)
        ),
        st.tuples(st.just("signal"), st.sampled_from(["go", "stop"])),
    ),
    max_size=25,
)

_EMITTED = tuple(
    json.dumps({"name": "emitted", "pipeline": {"some": task}})
    for task in (
        {"action": "t:x", "input": "${n}"},
        {"a": {"action": "t:x"}, "b": {"action": "t:x", "dependsOn": "c"}, "c": {"action": "t:x", "retry": {"maxRetries": 1}}},
        {"emit": {"forEach": [1, 2], "as": "m", "task": {"deep": {"action": "t:x"}}}},
        {"action": "t:x", "timeout": "4s", "await": True},
    )
)  # fmt: skip


def world_of(document: Tree, chunk: int = 1000, fuse: int = 1) -> World:
    plan = plan_of_document(document)
    assert plan is not None
    world = World(plan, Rules(cancel_grace=5.0, max_transitions=50, chunk=chunk))
    world.tell(do.Start("p", {"fuse": fuse}))
    return world


_ALONE: dict[str, Callable[[World, Any], object]] = {
    "time": lambda world, seconds: world.pass_time(seconds),
    "pause": lambda world, _: world.tell(do.Pause()),
    "resume": lambda world, _: world.tell(do.Resume()),
    "cancel": lambda world, _: world.tell(do.Cancel("enough")),
    "again": lambda world, _: world.tell(do.ResumeFailed()),
    "signal": lambda world, name: world.tell(do.Signal(name, 1)),
    "steer": lambda world, _: world.tell(do.Steer({"p": 5})),
    "crash": lambda world, _: world.crash(),
    "reload": lambda world, _: world.reload(),
    "settle": lambda world, _: world.settle(),
}
"""What may happen at any time."""


def perform(world: World, step: tuple[str, Any]) -> None:
    kind, value = step
    attempts = list(world.attempts)
    if kind in _ALONE:
        _ALONE[kind](world, value)
    elif kind == "late" and world.lost:
        run, attempt = world.lost[value % len(world.lost)]
        world.tell(do.AttemptSucceeded(run, attempt, "late"))
    elif kind == "child" and world.children:
        world.end_child(good=value)
    elif kind == "enough" and attempts:
        world.tell(do.EndWait(*attempts[-1], world.tickets, drop=value))
    elif attempts:
        perform_at(world, kind, value, attempts[value % len(attempts)])


def perform_at(world: World, kind: str, value: int, attempt: tuple[str, int]) -> None:
    if kind in ("succeed", "fail"):
        world.end_attempt(attempt, good=kind == "succeed")
    elif kind == "begin":
        world.tell(do.AttemptStarted(*attempt))
    elif kind == "beat":
        world.tell(do.Heartbeat(*attempt))
    elif kind == "suspend":
        world.suspend(attempt)
    elif kind == "emit":
        world.emit(attempt, _EMITTED[value % len(_EMITTED)], value % 3, wait=value > 3)
    elif kind == "wait":
        world.wait(attempt, value)
    elif kind == "bring":
        world.bring(attempt[0], value)


def check_explained(world: World) -> None:
    """A process that has not ended can say what it waits for; and if it waits, something outside of it will come."""
    explanation = explain_state(world.state, Since())
    assert explanation.reason
    if world.state.status.final:
        assert not explanation.waiting
    elif not world.waiting and not explanation.remedy:
        assert any(each.cause.outside or each.until for each in explanation.waiting), explanation
    assert "DeadlockError" not in world.failure_types()


@settings(max_examples=2 * settings().max_examples)
@given(documents(), _STEPS, st.sampled_from([1, 2, 1000]), st.sampled_from([1, 1, 0]), st.booleans())
def test_anything_may_happen(
    document: Tree, steps: list[tuple[str, Any]], chunk: int, fuse: int, hanging: bool
) -> None:
    world = world_of(document, chunk, fuse)
    try:
        for step in steps:
            perform(world, step)
            check_explained(world)
        world.finish(hanging=hanging)
        world.check_journal()
        event(f"first {world.state.status}")
        if not world.completed_well:
            world.tell(do.ResumeFailed())
            world.finish()
            world.check_journal()
            event(f"then {world.state.status}")
            assert world.completed_well or not fuse or world.failure_types() & _HOPELESS
    except BaseException:
        note(world.story())
        raise
