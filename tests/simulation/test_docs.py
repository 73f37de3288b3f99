"""The test that the page on testing shows passes, and prints what stands below it. Its programs are run by `tests/crash/test_docs.py`."""

from __future__ import annotations

import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from fluxor_actors.testing import CALM, CHAOS
from fluxor_actors.testing.simulation.bench import Bench
from tests.markdown import ROOT, blocks, masked

PAGE = ROOT / "docs" / "testing.md"


def test_the_test_on_the_page_passes(tmp_path: Path) -> None:
    shown = blocks(PAGE)
    (tmp_path / "test_order.py").write_text(next(b.text for b in shown if "def test_" in b.text), encoding="utf-8")
    command, output = next((a.text, b.text) for a, b in pairwise(shown) if "--fluxor-seeds" in a.text)
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command), "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert masked(done.stdout.splitlines()[-1]) == masked(output.strip()), done.stdout


def test_what_the_page_says_of_the_fixture_and_of_chaos_is_so() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in (
        "run",
        "action",
        "does",
        "advance",
        "finish",
        "result",
        "approve",
        "reject",
        "signal",
        "pause",
        "resume",
        "crash",
    ):
        assert callable(getattr(Bench, name))
        assert f"`{name}(" in page
    for name in CHAOS.kinds:
        assert f"`{name}={getattr(CHAOS, name)}`" in page
    assert CALM.kinds == ()
