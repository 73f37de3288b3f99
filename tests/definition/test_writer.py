"""What is written out and parsed again is equal."""

from __future__ import annotations

import json

import pytest
import yaml
from attrs import evolve
from hypothesis import given, settings

from fluxor_actors.definition import Task, Workflow, content_hash, parse, to_json, to_yaml, validate
from fluxor_actors.errors import UnrepresentableError
from tests.definition.strategies import workflows


@given(workflows())
def test_round_trips(workflow: Workflow) -> None:
    assert [str(problem) for problem in validate(workflow) if problem.severity == "error"] == []
    assert parse(to_yaml(workflow)) == workflow
    assert parse(to_json(workflow)) == workflow


@settings(max_examples=20)
@given(workflows())
def test_the_hash_is_that_of_the_content(workflow: Workflow) -> None:
    parsed = parse(to_yaml(workflow), "somewhere/else.yaml")
    assert content_hash(parsed) == content_hash(workflow)
    assert content_hash(evolve(workflow, description=workflow.description + "!")) != content_hash(workflow)


@pytest.mark.parametrize(
    "text", ["on", "No", "null", "~", "true", "1.10", "0x1F", "0o17", "12:30", "2024-01-01", "=", "1_000"]
)
def test_text_that_yaml_could_misread_is_quoted(text: str) -> None:
    document = yaml.safe_load(to_yaml(Workflow(name="w", config={"key": text})))
    assert document["config"] == {"key": text}


def test_reserved_names_go_under_tasks() -> None:
    workflow = Workflow(name="w", pipeline=(Task(name="init"), Task(name="retyr")))
    assert yaml.safe_load(to_yaml(workflow))["pipeline"] == {"tasks": {"init": {}, "retyr": {}}}


def test_what_has_its_default_is_left_out() -> None:
    assert json.loads(to_json(Workflow(name="w", pipeline=(Task(name="a"),)))) == {"name": "w", "pipeline": {"a": {}}}


def test_a_value_that_no_document_can_hold_is_refused() -> None:
    workflow = Workflow(name="w", config={"lock": object()})
    with pytest.raises(UnrepresentableError, match="lock"):
        to_yaml(workflow)
    assert "lock" in str(validate(workflow)[0])
