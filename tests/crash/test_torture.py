"""Programs that are killed, wherever and whenever, lose nothing and do nothing twice.

Seeds are printed; FLUXOR_CRASH_SEED sets them, and FLUXOR_CRASH_KILLS how many kills there are on each database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from fluxor_actors.testing import FAULT_POINTS
from tests.crash.support import SEED, Campaigns, OpenStore, sqlite_in
from tests.storage.conftest import new_schema

pytestmark = pytest.mark.long

# No test may take minutes: a hundred kills are several tests, each with a seed of its own.
PART = 20


def parts(kills: int) -> range:
    return range(-(-int(os.environ.get("FLUXOR_CRASH_KILLS") or kills) // PART))


@pytest.fixture
def postgres(admin: Engine) -> OpenStore:
    @contextmanager
    def opening(_folder: Path) -> Iterator[str]:
        yield from new_schema(admin)

    return opening


def test_a_handful_of_kills(campaigns: Campaigns) -> None:
    assert campaigns(sqlite_in, SEED).anywhere(5) == []


@pytest.mark.parametrize("history", ["full", 8, "none"])
def test_kills_between_snapshots(campaigns: Campaigns, history: str | int) -> None:
    assert campaigns(sqlite_in, SEED, snapshot_every=3, history=history).anywhere(PART) == []


@pytest.mark.parametrize("point", FAULT_POINTS)
def test_every_fault_point_on_sqlite(campaigns: Campaigns, point: str) -> None:
    campaign = campaigns(sqlite_in, SEED)
    assert campaign.at_point(point) == []
    assert campaign.kills >= 1


@pytest.mark.parametrize("point", FAULT_POINTS)
def test_every_fault_point_on_postgresql(campaigns: Campaigns, postgres: OpenStore, point: str) -> None:
    campaign = campaigns(postgres, SEED)
    assert campaign.at_point(point, 2) == []
    assert campaign.kills >= 1


@pytest.mark.parametrize("part", parts(100))
def test_many_kills_on_sqlite(campaigns: Campaigns, part: int) -> None:
    assert campaigns(sqlite_in, SEED + part).anywhere(PART) == []


@pytest.mark.parametrize("part", parts(40))
def test_many_kills_on_postgresql(campaigns: Campaigns, postgres: OpenStore, part: int) -> None:
    assert campaigns(postgres, SEED + part).anywhere(PART) == []


@pytest.mark.parametrize("part", parts(20))
def test_the_one_of_two_programs_goes_on_alone(campaigns: Campaigns, part: int) -> None:
    assert campaigns(sqlite_in, SEED + part, twins=True).anywhere(PART) == []


@pytest.mark.parametrize("part", parts(20))
def test_the_one_of_two_programs_goes_on_alone_on_postgresql(
    campaigns: Campaigns, postgres: OpenStore, part: int
) -> None:
    assert campaigns(postgres, SEED + part, twins=True).anywhere(PART) == []
