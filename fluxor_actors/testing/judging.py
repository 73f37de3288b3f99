"""From what programs have logged to what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from attrs import frozen

from fluxor_actors.testing.findings import Finding
from fluxor_actors.testing.journals import Committed

__all__ = ["Death", "judge"]


@frozen
class Death:
    """A program was killed: how many lines the log had then, and what the store held."""

    lines: int
    committed: Committed


def judge(
    log: Sequence[Sequence[Any]], deaths: Sequence[Death], end: Committed, *, expected: frozenset[str] | None = None
) -> Iterator[Finding]:
    """What the log shows that must not be.

    Args:
        log: of all programs that have worked on the store, in the order of time.
        deaths: in the order of time.
        end: what the store held in the end.
        expected: executions that have to have been begun.

    Example:
        >>> log = [["begin", "p/a", 1], ["end", "p/a", 1], ["killed", 77], ["begin", "p/a", 2]]
        >>> [str(each) for each in judge(log, [Death(3, Committed(ended=frozenset({"p/a"})))], Committed())]
        ['repeated: p/a: attempt 2 began though it had ended, and that was committed, when death 1 came']
    """
    begun = [(place, str(line[1]), int(line[2])) for place, line in enumerate(log) if line[0] == "begin"]
    yield from _twice(begun)
    yield from _after_end(begun, deaths)
    killed = [place for place, line in enumerate(log) if line[0] == "killed"]
    yield from _unasked(begun, killed, end)
    yield from _unacknowledged(log, deaths)
    for key in sorted((expected or frozenset()) - {key for _, key, _ in begun}):
        yield Finding("lost", key, "it never began")


def _twice(begun: list[tuple[int, str, int]]) -> Iterator[Finding]:
    for (key, attempt), times in Counter((key, attempt) for _, key, attempt in begun).items():
        if times > 1:
            yield Finding("repeated", key, f"attempt {attempt} began {times} times")


def _after_end(begun: list[tuple[int, str, int]], deaths: Sequence[Death]) -> Iterator[Finding]:
    for number, death in enumerate(deaths, 1):
        for place, key, attempt in begun:
            if place >= death.lines and key in death.committed.ended:
                detail = (
                    f"attempt {attempt} began though it had ended, and that was committed, when death {number} came"
                )
                yield Finding("repeated", key, detail)


def _unasked(begun: list[tuple[int, str, int]], killed: list[int], end: Committed) -> Iterator[Finding]:
    """Attempts that follow one neither killed nor failed."""
    last: dict[str, int] = {}
    without: Counter[str] = Counter()
    for place, key, _ in begun:
        before = last.get(key)
        if before is not None and not any(before < death < place for death in killed):
            without[key] += 1
        last[key] = place
    for key, times in without.items():
        allowed = end.retries.get(key, 0)
        if times > allowed:
            yield Finding(
                "repeated", key, f"it began again {times} times with no death between, and failed {allowed} times"
            )


def _unacknowledged(log: Sequence[Sequence[Any]], deaths: Sequence[Death]) -> Iterator[Finding]:
    for death in deaths:
        for line in log[: death.lines]:
            if line[0] == "started" and line[1] not in death.committed.processes:
                yield Finding("lost", line[1], "its start was acknowledged, and it is not in the store")
            elif line[0] == "decided" and line[1] not in death.committed.decided:
                yield Finding("lost", line[1], "its decision was told, and is not in the store")
