"""Certifying a workflow of one's own, from a program and from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from fluxor_actors import Fluxor, StoreError, StoreUnavailableError
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


def schemas(admin: Engine) -> set[str]:
    with admin.connect() as connection:
        return set(connection.execute(text("SELECT nspname FROM pg_namespace")).scalars())


def test_on_postgresql_each_run_has_a_schema_that_is_gone_afterwards(admin: Engine, document: str) -> None:
    url = admin.url.set(drivername="postgresql").render_as_string(hide_password=False)
    before = schemas(admin)
    report = certify(document, actions=[ACTIONS], inputs={"n": 4}, most=6, store=url)
    assert report.ok, str(report)
    assert report.calm.output["ship"] == 8
    assert len(report.steps) >= 4
    done = invoke("certify", document, "-a", ACTIONS, "-i", "n=2", "--steps", "2", "--store", url)
    assert done.exit_code == 0, done.output
    assert "nothing lost, nothing repeated" in done.stdout
    assert schemas(admin) == before
    # A run that does not come to its end leaves nothing either.
    with pytest.raises(ValueError, match="nobody kills it"):
        certify("missing.yaml", store=url)
    assert schemas(admin) == before


def test_a_database_that_has_no_schemas_is_refused(document: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="sqlite has no schemas"):
        certify(document, store=f"sqlite:///{tmp_path}/x.db")
    assert not (tmp_path / "x.db").exists()
    nowhere = f"postgresql://nobody@/nothing?host={tmp_path}"
    with pytest.raises(StoreUnavailableError, match="no schema could be made"):
        certify(document, store=nowhere)
    done = invoke("certify", document, "-a", ACTIONS, "-i", "n=2", "--store", nowhere)
    assert done.exit_code == 2, done.output
    assert "no schema could be made" in done.stderr


def test_what_asks_for_approval_is_approved_in_the_name_that_is_given(tmp_path: Path) -> None:
    path = tmp_path / "asks.yaml"
    path.write_text(
        "name: asks\npipeline: {pay: {action: w:double, input: {n: 2}, approval: {required: true}}}", encoding="utf-8"
    )
    with pytest.raises(ValueError, match="nobody kills it"):
        certify(path, actions=[ACTIONS], timeout=1.0)
    report = certify(path, actions=[ACTIONS], approve="ada", most=6)
    assert report.ok, str(report)
    assert report.calm.output["pay"] == 4
    done = invoke("certify", str(path), "-a", ACTIONS, "--approve", "ada", "--steps", "1")
    assert done.exit_code == 0, done.output


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
