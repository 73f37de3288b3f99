"""Each test of the command line has a folder of its own, in which its store is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.storage.conftest import admin, schema_url, server

__all__ = ["admin", "own_folder", "schema_url", "server"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLUXOR_STORE", raising=False)
