"""Certifying a workflow of one's own, from a program and from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxor_actors import Fluxor
from fluxor_actors.testing import certify
from tests.cli.support import invoke
from tests.crash.workloads import ACTIONS

pytestmark = pytest.mark.long

DOCUMENT = """
name: order
pipeline:
  pay: {action: w:double, input: {n: "${n}"}}
  ship: {action: w:slow, input: {n: "${pay}"}}
"""
RANDOM = '''
import time
from fluxor_actors import action

@action("odd:now")
def now() -> float:
    """Never the same."""
    return time.time()
'''


@pytest.fixture
def document(tmp_path: Path) -> str:
    path = tmp_path / "order.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return str(path)


def test_a_sound_workflow_loses_and_repeats_nothing(document: str) -> None:
    watched: list[tuple[int, int]] = []
    report = certify(
        document, actions=[ACTIONS], inputs={"n": 4}, most=5, watch=lambda done, total: watched.append((done, total))
    )
    assert report.ok, str(report)
    assert report.calm.output["ship"] == 8
    assert report.calm.begun == {"job/order/pay": 1, "job/order/ship": 1}
    assert len(report.steps) >= 3
    assert report.left_out > 0
    assert watched[-1] == (5, 5)
    assert "nothing lost, nothing repeated" in str(report)


def test_a_workflow_that_was_decoded_will_do_as_well(tmp_path: Path) -> None:
    with Fluxor() as engine:
        workflow = engine.runtime.decode_yaml_workflow("name: short\npipeline: {only: {action: nop:nop}}")
    report = certify(workflow, most=1)
    assert report.ok
    assert report.workflow == "short"


def test_an_output_that_is_another_each_time_is_told_unless_that_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(RANDOM, encoding="utf-8")
    path = tmp_path / "odd.yaml"
    path.write_text("name: odd\npipeline: {when_: {action: odd:now}}", encoding="utf-8")
    actions = [str(tmp_path / "odd.py")]
    report = certify(path, actions=actions, most=1)
    assert {finding.kind for finding in report.findings} == {"differs"}
    assert "differs" in str(report)
    assert certify(path, actions=actions, most=1, same_output=False).ok


def test_a_workflow_that_does_not_even_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nobody kills it"):
        certify(tmp_path / "missing.yaml")


def test_the_command_prints_the_table_and_exits_by_it(document: str, tmp_path: Path) -> None:
    done = invoke("certify", document, "-a", ACTIONS, "-i", "n=2", "--steps", "2")
    assert done.exit_code == 0, done.output
    assert "order/pay" in done.stdout
    assert "nothing lost, nothing repeated" in done.stdout
    (tmp_path / "odd.py").write_text(RANDOM, encoding="utf-8")
    odd = tmp_path / "odd.yaml"
    odd.write_text("name: odd\npipeline: {when_: {action: odd:now}}", encoding="utf-8")
    arguments = ("certify", str(odd), "-a", str(tmp_path / "odd.py"), "--steps", "1")
    assert invoke(*arguments).exit_code == 1
    assert invoke(*arguments, "--any-output").exit_code == 0
    assert invoke("certify", str(tmp_path / "none.yaml")).exit_code == 2
