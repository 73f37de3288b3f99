"""Mixed load for a while: nothing is lost, and nothing grows. `FLUXOR_TEST_SOAK=600` makes it ten minutes for each store."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.markdown import ROOT
from tests.soak.load import KINDS, WAIT

pytestmark = pytest.mark.long

SECONDS = float(os.environ.get("FLUXOR_TEST_SOAK", "15"))


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_nothing_is_lost_and_nothing_grows(store: str) -> None:
    command = [sys.executable, "-W", "error", "-m", "tests.soak", "--store", store, "--seconds", str(SECONDS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS + 4 * WAIT, check=False)
    assert done.stdout, done.stderr
    account = json.loads(done.stdout.splitlines()[-1])
    print(done.stdout)
    assert account["faults"] == []
    assert set(account["started"]) == set(KINDS)
    assert done.returncode == 0, done.stderr
