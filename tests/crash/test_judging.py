"""The harness sees what it is there to see: each kind of loss and repetition, made on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fluxor_actors.testing import Kill, Torture
from fluxor_actors.testing.journals import Committed
from fluxor_actors.testing.judging import Death, judge
from fluxor_actors.testing.nursery import Nursery
from tests.crash.workloads import WORKLOADS

KEY = "p/a"


def kinds(
    log: list[list[object]], deaths: list[Death] | None = None, end: Committed | None = None, **more: object
) -> list[str]:
    expected = frozenset({KEY}) if more.get("expected") else None
    return [finding.kind for finding in judge(log, deaths or [], end or Committed(), expected=expected)]


def test_nothing_is_wrong_with_an_attempt_that_follows_one_that_was_killed() -> None:
    log = [["begin", KEY, 1], ["killed", 7], ["begin", KEY, 2], ["end", KEY, 2]]
    assert kinds(log, [Death(2, Committed())], expected=True) == []


def test_an_attempt_that_begins_twice_is_a_repetition() -> None:
    assert kinds([["begin", KEY, 1], ["killed", 7], ["begin", KEY, 1]]) == ["repeated"]


def test_an_execution_that_had_ended_and_begins_again_is_a_repetition() -> None:
    ended = Committed(ended=frozenset({KEY}))
    assert kinds([["begin", KEY, 1], ["killed", 7], ["begin", KEY, 2]], [Death(2, ended)]) == ["repeated"]


def test_an_attempt_that_nobody_asked_for_is_a_repetition_and_one_after_a_failure_is_not() -> None:
    log = [["begin", KEY, 1], ["begin", KEY, 2]]
    assert kinds(log) == ["repeated"]
    assert kinds(log, end=Committed(retries={KEY: 1})) == []


def test_what_never_began_or_was_acknowledged_and_is_not_there_is_lost() -> None:
    assert kinds([], expected=True) == ["lost"]
    assert kinds([["started", "p"]], [Death(1, Committed())]) == ["lost"]
    assert kinds([["started", "p"]], [Death(1, Committed(processes=frozenset({"p"})))]) == []


def test_a_decision_that_was_told_and_is_not_there_is_lost() -> None:
    log: list[list[object]] = [["decided", "p/a!1"]]
    assert kinds(log, [Death(1, Committed())]) == ["lost"]
    assert kinds(log, [Death(1, Committed(decided=frozenset({"p/a!1"})))]) == []


def test_a_store_that_forgets_what_was_committed_is_found_out(nursery: Nursery, tmp_path: Path) -> None:
    calm, cruel = tmp_path / "calm", tmp_path / "cruel"
    torture = Torture(nursery)
    workload = WORKLOADS["sequence"]
    calm.mkdir()
    cruel.mkdir()
    expected = torture.run(workload.job(f"sqlite:///{calm}/store.db", calm))

    def kills() -> Iterator[Kill | None]:
        yield Kill(point="outcome.before", hit=4)
        for file in cruel.glob("store.db*"):
            file.unlink()
        yield None

    trial = torture.run(workload.job(f"sqlite:///{cruel}/store.db", cruel), kills(), expected)
    assert "repeated" in {finding.kind for finding in trial.findings}
    assert len(trial.kills) == 1
