from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.conftest import gate, make, no_thread_left
from tests.messaging.server import Server
from tests.messaging.support import Filesystem, Kombu, Memory, Vendor

__all__ = ["gate", "make", "no_thread_left"]


@pytest.fixture(scope="session")
def redis() -> Iterator[Server]:
    """A server of our own, which may be stopped as long as it is started again."""
    # A socket's path may not be long.
    with (
        tempfile.TemporaryDirectory(prefix="fluxor-", dir="/tmp", ignore_cleanup_errors=True) as folder,
        Server(Path(folder)) as server,
    ):
        yield server


@pytest.fixture(params=["memory", "filesystem", "redis", "kombu"])
def vendor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vendor]:
    """A queue of each kind; ``kombu``: a broker within the program, as all but Redis are spoken to."""
    made: Vendor
    if request.param == "memory":
        made = Memory()
    elif request.param == "filesystem":
        made = Filesystem(tmp_path / "queue")
    elif request.param == "kombu":
        made = Kombu("memory://")
    else:
        made = Kombu(request.getfixturevalue("redis").url)
    yield made
    made.close()
