"""Programs to be killed, and databases for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fluxor_actors.testing import Torture, Trial
from fluxor_actors.testing.nursery import Nursery
from tests.crash.support import SEED, Campaign, Campaigns, OpenStore
from tests.kills import count
from tests.storage.conftest import admin, server

__all__ = ["admin", "server"]


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="module")
def calm() -> dict[str, Trial]:
    """What comes of workloads that nobody kills: found out once."""
    return {}


@pytest.fixture
def campaigns(
    nursery: Nursery, tmp_path: Path, calm: dict[str, Trial], pytestconfig: pytest.Config
) -> Iterator[Campaigns]:
    """Makes campaigns, and counts their kills."""
    made: list[tuple[Campaign, str]] = []

    def making(store: OpenStore, seed: int, *, twins: bool = False, **settings: object) -> Campaign:
        print(f"seed {seed}")
        torture = Torture(nursery, twins=twins)
        # With other settings other things come of them.
        campaign = Campaign(torture, tmp_path, store, seed, {} if settings else calm, **settings)
        made.append((campaign, "SQLite" if store.__name__ == "sqlite_in" else "PostgreSQL"))
        return campaign

    yield making
    for campaign, where in made:
        count(pytestconfig, where, campaign.kills, SEED)
