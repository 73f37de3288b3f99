"""One engine for the tests of a module; one of its own for a test that moves the time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.language.support import Lab, open_lab


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with open_lab() as lab:
        yield lab


@pytest.fixture
def timed() -> Iterator[Lab]:
    with open_lab() as lab:
        yield lab
