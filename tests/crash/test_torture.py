"""Programs that are killed, wherever and whenever, lose nothing and do nothing twice.

Seeds are printed; FLUXOR_CRASH_SEED sets them, and FLUXOR_CRASH_KILLS how many kills the long run has on each database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from fluxor_actors.testing import FAULT_POINTS, Torture, Trial
from fluxor_actors.testing.nursery import Nursery
from tests.crash.support import SEED, Campaign, OpenStore, sqlite_in
from tests.storage.conftest import new_schema

pytestmark = pytest.mark.long


# No test may take minutes: a hundred kills are several tests, each with a seed of its own.
PART = 20


def parts(kills: int) -> range:
    return range(-(-int(os.environ.get("FLUXOR_CRASH_KILLS") or kills) // PART))


@pytest.fixture(scope="module")
def calm() -> dict[str, Trial]:
    """What comes of workloads that nobody kills: found out once."""
    return {}


@pytest.fixture
def postgres(admin: Engine) -> OpenStore:
    @contextmanager
    def opening(_folder: Path) -> Iterator[str]:
        yield from new_schema(admin)

    return opening


def test_a_handful_of_kills(nursery: Nursery, tmp_path: Path) -> None:
    print(f"seed {SEED}")
    campaign = Campaign(Torture(nursery), tmp_path, sqlite_in, SEED, {})
    assert campaign.anywhere(5) == []


@pytest.mark.parametrize("history", ["full", 8, "none"])
def test_kills_between_snapshots(nursery: Nursery, tmp_path: Path, history: str | int) -> None:
    print(f"seed {SEED}")
    campaign = Campaign(Torture(nursery), tmp_path, sqlite_in, SEED, {}, snapshot_every=3, history=history)
    assert campaign.anywhere(PART) == []


@pytest.mark.long
@pytest.mark.parametrize("point", FAULT_POINTS)
def test_every_fault_point_on_sqlite(nursery: Nursery, tmp_path: Path, calm: dict[str, Trial], point: str) -> None:
    print(f"seed {SEED}")
    campaign = Campaign(Torture(nursery), tmp_path, sqlite_in, SEED, calm)
    assert campaign.at_point(point) == []
    assert campaign.kills >= 1


@pytest.mark.long
@pytest.mark.parametrize("part", parts(200))
def test_many_kills_on_sqlite(nursery: Nursery, tmp_path: Path, calm: dict[str, Trial], part: int) -> None:
    print(f"seed {SEED + part}")
    campaign = Campaign(Torture(nursery), tmp_path, sqlite_in, SEED + part, calm)
    assert campaign.anywhere(PART) == []


@pytest.mark.long
@pytest.mark.parametrize("part", parts(60))
def test_many_kills_on_postgresql(
    nursery: Nursery, tmp_path: Path, postgres: OpenStore, calm: dict[str, Trial], part: int
) -> None:
    print(f"seed {SEED + part}")
    campaign = Campaign(Torture(nursery), tmp_path, postgres, SEED + part, calm)
    assert campaign.anywhere(PART) == []


@pytest.mark.long
@pytest.mark.parametrize("part", parts(20))
def test_the_one_of_two_programs_goes_on_alone(
    nursery: Nursery, tmp_path: Path, calm: dict[str, Trial], part: int
) -> None:
    print(f"seed {SEED + part}")
    campaign = Campaign(Torture(nursery, twins=True), tmp_path, sqlite_in, SEED + part, calm)
    assert campaign.anywhere(PART) == []


@pytest.mark.long
@pytest.mark.parametrize("part", parts(20))
def test_the_one_of_two_programs_goes_on_alone_on_postgresql(
    nursery: Nursery, tmp_path: Path, postgres: OpenStore, calm: dict[str, Trial], part: int
) -> None:
    print(f"seed {SEED + part}")
    campaign = Campaign(Torture(nursery, twins=True), tmp_path, postgres, SEED + part, calm)
    assert campaign.anywhere(PART) == []
