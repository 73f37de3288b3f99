"""The JSON Schema agrees with the parser: what is right passes, what is wrong does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from fluxor_actors.definition import Workflow, json_schema, to_json
from fluxor_actors.definition.keys import DOCUMENT_KEYS, TASK_KEYS
from fluxor_actors.definition.nodes import to_plain
from fluxor_actors.definition.reader import read
from tests.definition.strategies import workflows
from tests.markdown import ROOT, blocks

VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def complaints(text: str | bytes) -> list[Any]:
    node = read(text)
    assert node is not None
    return [error.message for error in VALIDATOR.iter_errors(to_plain(node))]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    json_schema()["properties"].clear()
    assert json_schema()["properties"]
    assert "stages" in json_schema("stages")["required"]


def test_every_key_is_described_in_its_canonical_spelling() -> None:
    schema = json_schema()
    assert tuple(schema["properties"]) == DOCUMENT_KEYS
    task = schema["$defs"]["task"]["properties"]
    assert tuple(task) == TASK_KEYS
    for properties in (schema["properties"], task):
        assert [key for key, value in properties.items() if not value.get("description")] == []


@settings(max_examples=30)
@given(workflows())
def test_generated_workflows_fit(workflow: Workflow) -> None:
    errors = [error.message for error in VALIDATOR.iter_errors(json.loads(to_json(workflow)))]
    assert errors == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/**/*.yaml")), ids=lambda path: path.name)
def test_examples_fit(path: Path) -> None:
    assert complaints(path.read_bytes()) == []


def test_documents_of_the_language_page_fit() -> None:
    documents = [block.text for block in blocks(ROOT / "docs" / "language.md") if block.language == "yaml"]
    complete = [text for text in documents if "pipeline:" in text]
    assert complete
    assert {text: found for text in complete if (found := complaints(text))} == {}


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "name: x",
        "pipeline: 3",
        "pipeline: [x]",
        "pipeline: {a: }\nfoo: 1",
        "pipeline: {a: 3}",
        "pipeline: {a: {retyr: 3}}",
        "pipeline: {a: {action: [x]}}",
        "pipeline: {a: {retry: 3}}",
        "pipeline: {a: {retry: {maxRetries: -1}}}",
        "pipeline: {a: {retry: {type: linear}}}",
        "pipeline: {a: {goto: b}}",
        "pipeline: {a: {goto: {when: x}}}",
        "pipeline: {a: {await: first}}",
        "pipeline: {a: {async: on}}",
        "pipeline: {a: {kind: Loop}}",
        "pipeline: {a: {concurrency: 0}}",
        "pipeline: {a: {timeout: soon}}",
        "pipeline: {a: {init: [x]}}",
        "pipeline: {a: {matrix: {os: x}}}",
        "pipeline: {a: {template: {selector: [], task: {b: }}}}",
        "pipeline: {a: {emit: {task: {b: }}}}",
        "pipeline: {a: {emit: {forEach: x, task: {b: , c: }}}}",
        "pipeline: {a: {approval: true}}",
        "pipeline: {a: {onCrash: explode}}",
        "pipeline: {a: {tasks: 3}}",
        "pipeline: {a: }\npolicy: {mode: denny}",
        "pipeline: {a: }\ninputs: {x: string}",
    ],
)
def test_wrong_documents_do_not(text: str) -> None:
    assert complaints(text)
