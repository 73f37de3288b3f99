from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxor_actors.actors.lanes import Lane, Lanes
from fluxor_actors.errors import ConfigError
from tests.actors.support import assignment


def put(lanes: Lanes, run: str, process_id: str = "p", action: str = "nop:nop") -> None:
    work = assignment(run, process_id=process_id, action=action)
    lanes.put(work, lanes.lane_of(work))


def take_all(lanes: Lanes) -> list[str]:
    taken = []
    while (next_one := lanes.take()) is not None:
        taken.append(f"{next_one[0].process_id}/{next_one[0].run}")
    return taken


def test_processes_take_turns_whatever_they_have_queued() -> None:
    lanes = Lanes({})
    for number in range(100):
        put(lanes, str(number), "greedy")
    for number in range(2):
        put(lanes, str(number), "modest")
    taken = take_all(lanes)
    assert taken[:5] == ["greedy/0", "modest/0", "greedy/1", "modest/1", "greedy/2"]
    assert len(taken) == 102
    assert lanes.queued == 0


def test_a_full_lane_holds_up_nobody_else() -> None:
    lanes = Lanes({"slow:one": 2})
    for number in range(5):
        put(lanes, f"slow{number}", action="Slow:One")
    for number in range(3):
        put(lanes, f"quick{number}")
    assert sorted(take_all(lanes)) == ["p/quick0", "p/quick1", "p/quick2", "p/slow0", "p/slow1"]
    work = assignment(action="SLOW:ONE")
    lanes.done(lanes.lane_of(work))
    assert take_all(lanes) == ["p/slow2"]


def test_what_is_removed_is_not_taken() -> None:
    lanes = Lanes({"slow:one": 1})
    put(lanes, "a")
    put(lanes, "b")
    put(lanes, "c", action="slow:one")
    assert lanes.remove("p", "a", 1)
    assert lanes.remove("p", "c", 1)
    assert not lanes.remove("p", "a", 1)
    assert not lanes.remove("p", "b", 2)
    assert (take_all(lanes), lanes.queued) == (["p/b"], 0)


def test_the_same_attempt_is_queued_once() -> None:
    lanes = Lanes({})
    put(lanes, "a")
    put(lanes, "a")
    assert (lanes.queued, take_all(lanes)) == (1, ["p/a"])


@pytest.mark.parametrize("limit", [0, -1, True, "3", 1.5, None])
def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(ConfigError, match="expected a whole number from 1"):
        Lanes({"a:b": limit})


@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.just("put"), st.sampled_from("abc"), st.integers(0, 5), st.sampled_from(["x:x", "y:y", "z:z"])
            ),
            st.tuples(st.just("remove"), st.sampled_from("abc"), st.integers(0, 5)),
            st.tuples(st.just("take")),
            st.tuples(st.just("done"), st.integers(0, 10)),
        ),
        max_size=60,
    )
)
def test_the_counts_hold_and_nothing_that_may_run_is_held_back(steps: list[tuple[Any, ...]]) -> None:
    lanes = Lanes({"x:x": 1, "y:y": 2})
    waiting: dict[tuple[str, str], str] = {}
    running: list[tuple[Lane, str]] = []

    def count(action: str) -> int:
        return sum(1 for _, other in running if other == action)

    limits = {"x:x": 1, "y:y": 2, "z:z": 1_000}
    for step in steps:
        match step:
            case ("put", process_id, number, action):
                if (process_id, f"{action}{number}") not in waiting:
                    put(lanes, f"{action}{number}", process_id, action)
                    waiting[process_id, f"{action}{number}"] = action
            case ("remove", process_id, number):
                run = f"x:x{number}"
                removed = lanes.remove(process_id, run, 1)
                assert (removed is not None) == (waiting.pop((process_id, run), None) is not None)
            case ("take",):
                possible = any(count(action) < limits[action] for action in waiting.values())
                taken = lanes.take()
                assert (taken is not None) == possible
                if taken is not None:
                    action = waiting.pop((taken[0].process_id, taken[0].run))
                    running.append((taken[1], action))
                    assert count(action) <= limits[action]
            case ("done", number) if running:
                lanes.done(running.pop(number % len(running))[0])
        assert lanes.queued == len(waiting)
