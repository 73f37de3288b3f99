"""What the tests of the whole engine share: engines that are shut down, and no thread that outlives its test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fluxor_actors import Fluxor
from tests.engine.support import WAIT, Gate, Make
from tests.threads import no_thread_left

__all__ = ["gate", "make", "no_thread_left"]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes engines, and shuts them down at the end."""
    made: list[Fluxor] = []

    def making(*services: object, **options: Any) -> Fluxor:
        engine = Fluxor(services=services, **options)
        made.append(engine)
        return engine

    yield making
    for engine in made:
        engine.shutdown(WAIT)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()
