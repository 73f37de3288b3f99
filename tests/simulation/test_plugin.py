"""The plugin for pytest, as another project's tests use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = '''
import pytest
from fluxor_actors.testing import CHAOS, fails

SHOP = """
name: shop
pipeline:
  charge: {action: shop:charge, retry: {maxRetries: 2, delay: 5s}}
  ship: {action: shop:ship, approval: {required: true}}
  hold: {await: {signal: go}}
  remind: {action: mail:send, scheduleIn: 30d}
"""


def test_shop(fluxor):
    fluxor.action("shop:charge", [fails("busy"), "receipt"])
    fluxor.action("mail:send", None)

    @fluxor.does("shop:ship")
    def ship() -> str:
        return "shipped"

    run = fluxor.run(SHOP)
    assert fluxor.never_ran("ship")
    fluxor.advance("5s")
    fluxor.approve("ship", by="ada")
    fluxor.signal("go", 7)
    assert fluxor.ran("charge", "ship", "hold")
    assert fluxor.state == "running"
    fluxor.advance("30d")
    assert run.state == "completed"
    assert run.output["hold"] == 7


@pytest.mark.fluxor(faults=CHAOS, actions={"*": 1})
def test_chaos(fluxor):
    fluxor.run("name: a\\npipeline: {x: {action: t:x}}")
    assert fluxor.result() == {"x": 1}
    assert fluxor.seed != 3


def test_without(): ...
'''


def run(folder: Path, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "test_it.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nfilterwarnings = error\naddopts = --strict-markers\n", encoding="utf-8"
    )
    return tmp_path


def test_each_test_runs_with_every_seed_and_a_failure_says_how_to_see_it_again(folder: Path) -> None:
    printed = run(folder, "--fluxor-seeds", "4")
    assert "1 failed, 8 passed" in printed
    assert 'seed 3; the same again: pytest "test_it.py::test_chaos[seed3]" --fluxor-seed 3' in printed
    assert "called t:x a-1/a/x 1" in printed
    assert "1 failed" in run(folder, "test_it.py::test_chaos[seed3]", "--fluxor-seed", "3")


def test_nothing_of_the_engine_is_loaded_before_it_is_used() -> None:
    program = (
        "import sys, fluxor_actors.testing.plugin; print([n for n in ('pykka', 'attrs', 'yaml') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
