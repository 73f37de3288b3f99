"""Soaks an engine, and prints what it held, as JSON lines; the last one is the account. Exits 1 when something was lost, or grew."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from attrs import asdict

from fluxor_actors import Event, Fluxor
from tests.soak.load import WAIT, Load
from tests.soak.measuring import Sample, sample

RETAIN = 300
DRIVERS = 6
ROUND = 20
"""How many processes each driver sees through between two samples."""


def soak(store: str, seconds: float, seed: int, folder: Path) -> dict[str, Any]:
    """Put load on one engine for so many seconds, and give an account of it. ``folder``: for documents, and for the store."""
    before = sample(0)
    load, ended = Load(seed), _Ends()
    samples: list[Sample] = []
    with Fluxor(
        services=load.services(), store=store, workers=4, retain=RETAIN, meta_base_url=str(folder / "documents")
    ) as engine:
        engine.events.subscribe(ended, event_type=("process.completed", "process.failed", "process.cancelled"))
        load.begin(engine)
        with ThreadPoolExecutor(DRIVERS, thread_name_prefix="driver") as pool:
            stop = time.monotonic() + seconds
            while time.monotonic() < stop or len(samples) < 4:
                first = load.started.total()
                driving = [
                    pool.submit(_drive, engine, load, seed * 1_000_003 + first + driver, first + driver * ROUND)
                    for driver in range(DRIVERS)
                ]
                for each in driving:
                    each.result(ROUND * WAIT)
                ended.until(load.started.total() + load.children)
                load.clear(engine)
                samples.append(sample(load.started.total(), folder))
                print(json.dumps(asdict(samples[-1])), flush=True)
        load.end()
        pending = [process.id for process in engine.runtime.processes() if not process.state.final]
        pending += [request.id for request in engine.approvals.list_pending()]
        dropped, failures = engine.events.dropped, engine.events.failures
    after = sample(load.started.total())
    return {
        "store": store.partition(":")[0], "seed": seed, "started": dict(load.started), "children": load.children, "ended": ended.count,
        "calls": load.called, "due": load.due, "wrong": load.wrong, "pending": pending, "dropped": dropped, "failures": failures,
        "threads left": after.threads - before.threads, "descriptors left": after.descriptors - before.descriptors,
        "grown": _grown(samples),
    }  # fmt: skip


def _drive(engine: Fluxor, load: Load, seed: int, first: int) -> None:
    chance = random.Random(seed)
    for number in range(first, first + ROUND):
        load.run_one(engine, chance, number)


def _grown(samples: list[Sample]) -> dict[str, float]:
    """How much more there is in the last quarter than in the second, in which all that is kept by number is there: medians, as ratios."""
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]

    def middle(values: list[int]) -> int:
        return sorted(values)[len(values) // 2]

    found = {}
    for name in ("objects", "resident", "threads", "descriptors", "disk"):
        old, new = (middle([getattr(each, name) for each in part]) for part in (early, late))
        found[name] = round(new / old, 4) if old else 1.0
    return found


class _Ends:
    """Counts processes that have ended."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def __call__(self, event: Event[Any]) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def until(self, count: int) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self.count >= count, WAIT):
                raise AssertionError(f"{self.count} processes have ended, not {count}")


def faults(account: dict[str, Any]) -> list[str]:
    """What is wrong with an account."""
    found = [f"wrong: {each}" for each in account["wrong"][:10]]
    found += [f"not ended: {each}" for each in account["pending"][:10]]
    if account["calls"] != account["due"]:
        found.append(f"{account['calls']} calls of actions, not {account['due']}")
    total = sum(account["started"].values()) + account["children"]
    if account["ended"] != total:
        found.append(f"{account['ended']} ends were told of, not {total}")
    found += [
        f"{name}: {account[name]}"
        for name in ("dropped", "failures", "threads left", "descriptors left")
        if account[name] > 0
    ]
    for name, most in {"objects": 1.05, "resident": 1.1, "threads": 1.0, "descriptors": 1.1, "disk": 1.5}.items():
        if account["grown"][name] > most:
            found.append(f"{name} grew to {account['grown'][name]} of what it was")
    return found


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--store", choices=["memory", "sqlite"], default="memory")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "documents").mkdir()
        store = "memory://" if given.store == "memory" else f"sqlite:///{folder}/runs.db"
        account = soak(store, given.seconds, given.seed, Path(folder))
    account["faults"] = faults(account)
    print(json.dumps(account))
    return 1 if account["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
