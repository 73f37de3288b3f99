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

from fluxor_actors.testing import FAULT_POINTS, Torture
from fluxor_actors.testing.nursery import Nursery
from tests.crash.support import SEED, Campaign, OpenStore, sqlite_in
from tests.storage.conftest import new_schema


def kills_of(default: int) -> int:
    return int(os.environ.get("FLUXOR_CRASH_KILLS") or default)


@pytest.fixture
def postgres(admin: Engine) -> OpenStore:
    @contextmanager
    def opening(_folder: Path) -> Iterator[str]:
        yield from new_schema(admin)

    return opening


def test_a_handful_of_kills(nursery: Nursery, tmp_path: Path) -> None:
    print(f"seed {SEED}")
    campaign = Campaign(Torture(nursery), tmp_path, sqlite_in, SEED)
    assert campaign.anywhere(5) == []


@pytest.mark.long
@pytest.mark.parametrize("point", FAULT_POINTS)
def test_every_fault_point_on_sqlite(nursery: Nursery, tmp_path: Path, point: str) -> None:
    print(f"seed {SEED}")
    campaign = Campaign(Torture(nursery), tmp_path, sqlite_in, SEED)
    assert campaign.at_point(point) == []
    assert campaign.kills >= 1


@pytest.mark.long
def test_many_kills_on_sqlite(nursery: Nursery, tmp_path: Path) -> None:
    print(f"seed {SEED}")
    campaign = Campaign(Torture(nursery), tmp_path, sqlite_in, SEED)
    assert campaign.anywhere(kills_of(200)) == []


@pytest.mark.long
def test_many_kills_on_postgresql(nursery: Nursery, tmp_path: Path, postgres: OpenStore) -> None:
    print(f"seed {SEED}")
    campaign = Campaign(Torture(nursery), tmp_path, postgres, SEED)
    assert campaign.anywhere(kills_of(60)) == []


@pytest.mark.long
def test_the_one_of_two_programs_goes_on_alone(nursery: Nursery, tmp_path: Path) -> None:
    print(f"seed {SEED}")
    campaign = Campaign(Torture(nursery, twins=True), tmp_path, sqlite_in, SEED)
    assert campaign.anywhere(kills_of(20)) == []


@pytest.mark.long
def test_the_one_of_two_programs_goes_on_alone_on_postgresql(
    nursery: Nursery, tmp_path: Path, postgres: OpenStore
) -> None:
    print(f"seed {SEED}")
    campaign = Campaign(Torture(nursery, twins=True), tmp_path, postgres, SEED)
    assert campaign.anywhere(kills_of(10)) == []
