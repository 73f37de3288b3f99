"""How far processes are, each root process with its sub-workflows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping

from fluxor_actors.process.state import State
from fluxor_actors.progress import Progress

__all__ = ["Counts", "Families", "counts_at_end", "counts_of", "progress_in", "progress_of_all"]

Counts = tuple[int, int, int, int, int, int]
"""Runs in all, completed, skipped, failed, cancelled, under way. A tuple, for one is made with every commit."""

_NONE: Counts = (0, 0, 0, 0, 0, 0)


def counts_of(state: State) -> Counts:
    """The counts of one process."""
    tally = state.tally
    return tally.total, tally.completed, tally.skipped, tally.failed, tally.cancelled, state.active


def counts_at_end(state: State) -> Counts:
    """The counts of a process that has ended. What is still open then, since it was ended from outside, is as good as cancelled."""
    total, completed, skipped, failed, _, _ = counts_of(state)
    return total, completed, skipped, failed, total - completed - skipped - failed, 0


def _sum(first: Counts, second: Counts, sign: int = 1) -> Counts:
    total, completed, skipped, failed, cancelled, active = second
    return (
        first[0] + sign * total,
        first[1] + sign * completed,
        first[2] + sign * skipped,
        first[3] + sign * failed,
        first[4] + sign * cancelled,
        first[5] + sign * active,
    )


def progress_in(counts: Counts) -> Progress:
    """The counts by name."""
    total, completed, skipped, failed, cancelled, active = counts
    pending = total - completed - skipped - failed - cancelled - active
    return Progress(total, completed, skipped, failed, cancelled, active, pending)


Others = Callable[[Collection[str]], Mapping[str, Counts]]
"""From the members that are live here to the counts of all the others."""


def progress_of_all(counts: Mapping[str, Counts]) -> Progress:
    """The sum of the counts of several processes, by name."""
    total = _NONE
    for each in counts.values():
        total = _sum(total, each)
    return progress_in(total)


class _Live(dict[str, Counts]):
    """The counts of processes that are live; ``changed``: whose have changed since they were summed."""

    __slots__ = ("changed",)

    def __init__(self) -> None:
        super().__init__()
        self.changed: set[str] = set()

    def __setitem__(self, process_id: str, counts: Counts) -> None:
        # In this order: who sums meanwhile sums it once more.
        super().__setitem__(process_id, counts)
        self.changed.add(process_id)


class _Family:
    __slots__ = ("_others", "_sum", "_summed", "ended", "live", "others", "resting", "whole")

    def __init__(self, ended: Counts, *, whole: bool) -> None:
        self.ended = ended
        self.live = _Live()
        # The sum of the live ones, and what of each is in it: a family may be wide, and is asked for with every commit.
        self._sum = _NONE
        self._summed: dict[str, Counts] = {}
        # Of the live ones, those that are left to the store.
        self.resting: set[str] = set()
        # Whether nothing is missing: all that ended before is in ``ended``.
        self.whole = whole
        # If not, the members that were not live here when somebody wanted to know; None: nobody has.
        self.others: dict[str, Counts] | None = None
        self._others = _NONE

    def counts(self) -> Counts:
        changed = self.live.changed
        while changed:
            process_id = changed.pop()
            now = self.live.get(process_id, _NONE)
            self._sum = _sum(_sum(self._sum, now), self._summed.get(process_id, _NONE), -1)
            self._summed[process_id] = now
        return _sum(_sum(self.ended, self._sum), self._others)

    def depart(self, process_id: str) -> None:
        """It is not live any more."""
        self.live.pop(process_id, None)
        self.live.changed.discard(process_id)
        self._sum = _sum(self._sum, self._summed.pop(process_id, _NONE), -1)

    def know(self, others: dict[str, Counts]) -> None:
        """How far those are that are not live here."""
        self.others, self._others = others, _NONE
        for each in others.values():
            self._others = _sum(self._others, each)

    def arrive(self, process_id: str) -> bool:
        """It is live here, or has ended here: it is not one of the others any more. Whether it was."""
        counts = None if self.others is None else self.others.pop(process_id, None)
        if counts is not None:
            self._others = _sum(self._others, counts, -1)
        return counts is not None


class Families:
    """Of each root, what its live processes have committed, and the sum of those that have ended. Safe between threads.

    A family is forgotten when the last of its processes has ended, be it the root or a sub-workflow that outlived it.
    """

    def __init__(self) -> None:
        self._families: dict[str, _Family] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._families)

    def join(self, root_id: str, process_id: str, *, new: bool = False) -> dict[str, Counts]:
        """A process is live. It puts its counts under its id into what is returned, without a lock, with every commit. ``new``: it has just been started."""
        with self._lock:
            family = self._families.get(root_id)
            if family is None:
                family = self._families[root_id] = _Family(_NONE, whole=new and root_id == process_id)
            family.arrive(process_id)
            family.live.setdefault(process_id, _NONE)
            family.resting.discard(process_id)
            return family.live

    def rejoin(self, root_id: str, process_id: str, counts: Counts, last: Progress | None) -> None:
        """A process goes on after its end.

        Args:
            root_id: its root.
            process_id: which one.
            counts: what it came to when it ended.
            last: what the family came to; None when that is not known any more.
        """
        with self._lock:
            family = self._families.get(root_id)
            if family is None:
                known = _NONE if last is None else _counts(last)
                family = self._families[root_id] = _Family(known, whole=last is not None)
                if last is None:
                    family.ended = counts
            if process_id not in family.live:
                if not family.arrive(process_id):
                    family.ended = _sum(family.ended, counts, -1)
                family.live[process_id] = counts

    def leave(self, root_id: str, process_id: str, counts: Counts) -> tuple[Progress | None, bool]:
        """A process has ended. Returns what its family came to so far (None: not known), and whether nobody in it is live now."""
        with self._lock:
            family = self._families.get(root_id)
            if family is None:
                return None, True
            family.depart(process_id)
            family.arrive(process_id)
            family.resting.discard(process_id)
            family.ended = _sum(family.ended, counts)
            over = not family.live
            if over:
                del self._families[root_id]
            return (progress_in(family.counts()) if family.whole else None), over

    def rest(self, root_id: str, process_id: str) -> None:
        """A process is left to the store: if all of its family are, and none has ended, nothing need be known of it here."""
        with self._lock:
            family = self._families.get(root_id)
            if family is None:
                return
            family.resting.add(process_id)
            if family.ended == _NONE and family.live.keys() <= family.resting:
                del self._families[root_id]

    def lives(self, root_id: str, process_id: str) -> bool:
        """Whether the process is live, as far as is known here."""
        family = self._families.get(root_id)
        return family is not None and process_id in family.live

    def progress(self, root_id: str) -> Progress | None:
        """How far a root process and its sub-workflows are; None when none of them is live, or it is not known."""
        with self._lock:
            family = self._families.get(root_id)
            return None if family is None or not family.whole else progress_in(family.counts())

    def told(self, root_id: str, others: Others, *, again: bool = False) -> Progress | None:
        """How far they are, with those that are not live here as they were when they were last asked for; None when none of them is live.

        Args:
            root_id: whose family.
            others: is asked once; for those whom another engine runs, it is not known afterwards how far they have got.
            again: ask once more.
        """
        with self._lock:
            family = self._families.get(root_id)
            if family is None or family.whole:
                return None if family is None else progress_in(family.counts())
            live = None if family.others is not None and not again else tuple(family.live)
        found = None if live is None else others(live)
        with self._lock:
            if found is not None:
                # Those that have ended here are among them.
                family.ended = _NONE
                family.know({name: counts for name, counts in found.items() if name not in family.live})
            return progress_in(family.counts())


def _counts(progress: Progress) -> Counts:
    return (
        progress.total,
        progress.completed,
        progress.skipped,
        progress.failed,
        progress.cancelled,
        progress.running,
    )
