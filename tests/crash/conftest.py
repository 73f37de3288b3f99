"""Programs to be killed, and databases for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fluxor_actors.testing.nursery import Nursery
from tests.crash.support import SEED
from tests.storage.conftest import admin, server

__all__ = ["admin", "server"]


def pytest_report_header() -> str:
    return f"kills are drawn from FLUXOR_CRASH_SEED={SEED}"


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery
