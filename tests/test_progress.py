"""Counters that add up."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fluxor_actors import Progress
from fluxor_actors.actors.families import Families, progress_in
from fluxor_actors.progress import total_of

COUNTS = st.tuples(*[st.integers(0, 50)] * 6)


def counts(parts: tuple[int, ...]) -> tuple[int, int, int, int, int, int]:
    _pending, completed, skipped, failed, cancelled, active = parts
    return sum(parts), completed, skipped, failed, cancelled, active


def test_the_fraction_is_what_has_ended() -> None:
    assert Progress().fraction == 0.0
    assert Progress(total=4, completed=1, skipped=1, running=1, pending=1).fraction == 0.5
    assert Progress(total=1, cancelled=1).fraction == 1.0


@given(st.lists(COUNTS, max_size=5))
def test_totals_add_up(parts: list[tuple[int, ...]]) -> None:
    total = total_of([progress_in(counts(part)) for part in parts])
    assert total.total == sum(map(sum, parts))
    assert total.pending == sum(part[0] for part in parts)
    assert (
        total.completed + total.skipped + total.failed + total.cancelled + total.running + total.pending == total.total
    )


@given(st.lists(st.tuples(st.sampled_from(["root", "a", "b", "c"]), COUNTS, st.booleans()), max_size=30))
def test_a_family_is_the_sum_of_its_members_whoever_comes_and_goes(
    steps: list[tuple[str, tuple[int, ...], bool]],
) -> None:
    """Against a model: the last counts of each process that has ever been in it."""
    families = Families()
    model: dict[str, tuple[int, ...]] = {"root": counts((1, 0, 0, 0, 0, 0))}
    live = {"root"}
    families.join("root", "root", new=True)["root"] = model["root"]  # type: ignore[assignment]  # six numbers
    last: Progress | None = None
    for name, parts, end in steps:
        now = counts(parts)
        if name not in live:
            if name in model:
                families.rejoin("root", name, model[name], last)  # type: ignore[arg-type]  # six numbers
            elif not live:
                continue  # nobody is there who could start it
            families.join("root", name)[name] = now
            live.add(name)
        families.join("root", name)[name] = now
        model[name] = now
        if end:
            live.discard(name)
            last, over = families.leave("root", name, now)
            assert over == (not live)
        expected = total_of([progress_in(each) for each in model.values()])  # type: ignore[arg-type]  # six numbers
        assert (families.progress("root") if live else last) == expected
        assert len(families) == bool(live)


def test_to_look_at_a_family_costs_the_same_however_many_live_in_it() -> None:
    def calls(members: int) -> int:
        found = 0

        def count(_frame: FrameType, kind: str, _arg: Any) -> None:
            nonlocal found
            found += kind == "call"

        families = Families()
        live = families.join("root", "root", new=True)
        for number in range(members):
            families.join("root", f"child {number}")[f"child {number}"] = counts((1, 1, 0, 0, 0, 0))
        families.progress("root")
        before = sys.getprofile()
        sys.setprofile(count)
        live["root"] = counts((0, 1, 0, 0, 0, 1))
        families.progress("root")
        families.leave("root", "child 0", counts((0, 2, 0, 0, 0, 0)))
        sys.setprofile(before)
        return found

    assert calls(10) == calls(1_000)
