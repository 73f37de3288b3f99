"""Drawing where to kill, and running workloads there."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from attrs import evolve

from fluxor_actors.testing import FAULT_POINTS, Kill, Torture, Trial
from tests.crash.workloads import WORKLOADS

__all__ = ["SEED", "Campaign", "Campaigns", "OpenStore", "sqlite_in"]

SEED = int(os.environ.get("FLUXOR_CRASH_SEED") or random.SystemRandom().randrange(1_000_000))


class OpenStore(Protocol):
    """Gives the URL of an empty store, which may be in this folder."""

    __name__: str

    def __call__(self, folder: Path, /) -> AbstractContextManager[str]: ...


class Campaigns(Protocol):
    """The fixture ``campaigns``."""

    def __call__(self, store: OpenStore, seed: int, *, twins: bool = False, **settings: object) -> Campaign: ...


@contextmanager
def sqlite_in(folder: Path) -> Iterator[str]:
    """A database in a folder of its own."""
    yield f"sqlite:///{folder / 'store.db'}"


class Campaign:
    """Kills workloads as a seed says, each on a store of its own."""

    def __init__(
        self, torture: Torture, folder: Path, store: OpenStore, seed: int, calm: dict[str, Trial], **settings: Any
    ) -> None:
        self._settings = settings
        self.kills = 0
        self._torture = torture
        self._folder = folder
        self._store = store
        self._random = random.Random(seed)
        self._calm = calm
        self._number = 0

    def calm(self, name: str) -> Trial:
        """What comes of a workload that nobody kills."""
        if name not in self._calm:
            trial = self.run(name, [], None)
            output = WORKLOADS[name].output
            assert [str(finding) for finding in trial.findings] == []
            assert {key: trial.output.get(key) for key in output} == output, name
            self._calm[name] = trial
        return self._calm[name]

    def run(self, name: str, kills: list[Kill], expected: Trial | None) -> Trial:
        self._number += 1
        folder = self._folder / str(self._number)
        folder.mkdir()
        with self._store(folder) as url:
            job = evolve(WORKLOADS[name].job(url, folder), settings=self._settings)
            trial = self._torture.run(job, kills, expected)
        shutil.rmtree(folder)
        self.kills += len(trial.kills)
        return trial

    def at_point(self, point: str, most: int | None = None) -> list[str]:
        """Kill each workload that comes to the point, at one of the times it does, or ``most`` of them; what was found."""
        found = []
        until = None if most is None else self.kills + most
        for name in self._random.sample(list(WORKLOADS), len(WORKLOADS)):
            if until is not None and self.kills >= until:
                break
            calm = self.calm(name)
            if point == "takeover.after":
                # Only who comes after a death takes something over.
                kills = [Kill(point="dispatch.after"), Kill(point=point)]
            elif point in calm.hits:
                kills = [Kill(point=point, hit=self._random.randint(1, calm.hits[point]))]
            else:
                continue
            found += self._strike(name, kills)
        return found

    def anywhere(self, kills: int) -> list[str]:
        """Kill workloads until so many kills have struck; what was found."""
        found = []
        until = self.kills + kills
        while self.kills < until:
            name = self._random.choice(list(WORKLOADS))
            found += self._strike(name, [self._draw(name) for _ in range(self._random.choice((1, 1, 2, 3)))])
        return found

    def _draw(self, name: str) -> Kill:
        if self._random.random() < 0.4:
            return Kill(after=round(self._random.uniform(0.0, 0.3), 3))
        point = self._random.choice(FAULT_POINTS)
        return Kill(point=point, hit=self._random.randint(1, max(1, self.calm(name).hits.get(point, 1))))

    def _strike(self, name: str, kills: list[Kill]) -> list[str]:
        trial = self.run(name, kills, self.calm(name))
        plan = ", ".join(str(kill) for kill in kills)
        return [f"{name}, killed at {plan}: {finding}" for finding in trial.findings]
