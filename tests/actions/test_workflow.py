"""`workflow:run`, `workflow:status` and `workflow:wait`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fluxor_actors.actions import Actions, Suspend
from fluxor_actors.actions.builtin import WorkflowService
from fluxor_actors.definition.model import Workflow
from fluxor_actors.errors import ActionInputError, DefinitionError, LocationError, ProcessNotFoundError
from tests.actions.support import FakeHost, new_context, run


class Host:
    def __init__(self, *places: tuple[str, str | None]) -> None:
        self.places = places
        self.asked: list[Any] = []

    def load(self, location: Any, parent_location: Any) -> Any:
        self.asked.append((location, parent_location))
        if (location, parent_location) not in self.places:
            raise LocationError(f"{location} beside {parent_location} is not there")
        return Workflow(name=location)

    def parse(self, source: Any) -> Any:
        self.asked.append(source)
        return Workflow(name="parsed")

    def start_child(self, context: Any, workflow: Any, initial_state: Any, tasks: Any) -> Any:
        self.asked.append((context.process_id, workflow.name, initial_state, tasks))
        return "child"

    def status(self, process_id: Any) -> Any:
        if process_id != "child":
            raise ProcessNotFoundError(process_id)
        return {"processId": "child", "state": "running", "output": {}, "errors": {}}


def call(host: Host, name: str, value: Any, *, where: str | None = None) -> Any:
    return run(Actions(WorkflowService(host)), f"workflow:{name}", value, new_context(FakeHost(where=where)))


def test_run_starts_a_child_and_hands_back_the_worker() -> None:
    host = Host(("child.yaml", None))
    assert call(host, "run", {"location": "child.yaml"}) == Suspend("child")
    assert host.asked == [("child.yaml", None), ("p1", "child.yaml", {}, [])]


def test_run_passes_everything_on() -> None:
    host = Host(("child.yaml", "/flows/parent.yaml"))
    value = {
        "location": "child.yaml",
        "parentLocation": "/flows/parent.yaml",
        "context": {"n": 1},
        "tasks": ["a", "b"],
        "ignoreError": True,
        "waitTimeInMs": 1500,
    }
    assert call(host, "run", value) == Suspend("child", ignore_error=True, timeout=1.5)
    assert host.asked[-1] == ("p1", "child.yaml", {"n": 1}, ["a", "b"])


def test_run_async_returns_at_once() -> None:
    host = Host()
    assert call(host, "run", {"source": "name: x", "async": True}) == {"processId": "child", "state": "running"}
    assert host.asked[0] == "name: x"


def test_run_takes_a_document_as_a_mapping() -> None:
    host = Host()
    call(host, "run", {"workflow": {"name": "x", "pipeline": {}}, "tasks": "one"})
    assert json.loads(host.asked[0]) == {"name": "x", "pipeline": {}}
    assert host.asked[1][3] == ["one"]


def test_a_relative_location_is_tried_beside_the_document_first() -> None:
    host = Host(("child", "/flows/parent.yaml"), ("child", None))
    call(host, "run", {"location": "child"}, where="/flows/parent.yaml")
    assert host.asked[:-1] == [("child", "/flows/parent.yaml")]


def test_then_relative_to_the_base() -> None:
    host = Host(("child", None))
    call(host, "run", {"location": "child"}, where="/flows/parent.yaml")
    assert host.asked[:-1] == [("child", "/flows/parent.yaml"), ("child", None)]


def test_a_location_that_is_nowhere_tells_both_places() -> None:
    with pytest.raises(LocationError, match=r"child beside /flows/parent.yaml .* base: child beside None"):
        call(Host(), "run", {"location": "child"}, where="/flows/parent.yaml")
    with pytest.raises(LocationError, match="child beside None"):
        call(Host(), "run", {"location": "child"})


def test_a_document_that_is_wrong_is_not_looked_for_elsewhere() -> None:
    class Broken(Host):
        def load(self, location: Any, parent_location: Any) -> None:
            self.asked.append(parent_location)
            raise DefinitionError("wrong")

    host = Broken()
    with pytest.raises(DefinitionError, match="wrong"):
        call(host, "run", {"location": "child"}, where="/flows/parent.yaml")
    assert host.asked == ["/flows/parent.yaml"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({}, "found none"),
        ({"location": "a", "source": "b"}, "found location and source"),
        ({"loaction": "a"}, r"did you mean location\? @ \$.loaction"),
        ({"location": "a", "waitTimeInMs": 0}, "above 0"),
        ({"location": "a", "waitTimeInMs": -1}, "above 0"),
        ({"location": "a", "waitTimeInMs": "5"}, r"@ \$.waitTimeInMs"),
        ({"location": "a", "async": "false"}, r"@ \$.async"),
        ({"location": "a", "context": []}, r"@ \$.context"),
        ({"location": 3}, r"@ \$.location"),
    ],
)
def test_run_refuses_what_makes_no_sense(value: Any, reason: Any) -> None:
    host = Host(("a", None))
    with pytest.raises(ActionInputError, match=reason):
        call(host, "run", value)
    assert host.asked == []


def test_status_and_wait() -> None:
    host = Host()
    assert call(host, "status", {"processId": "child"})["state"] == "running"
    assert call(host, "wait", {"processId": "child"}) == Suspend("child", ignore_error=True)
    value = {"process_id": "child", "ignoreError": False, "waitTimeInMs": 50}
    assert call(host, "wait", value) == Suspend("child", ignore_error=False, timeout=0.05)


@pytest.mark.parametrize("name", ["status", "wait"])
def test_an_unknown_process_is_told_at_once(name: Any) -> None:
    with pytest.raises(ProcessNotFoundError, match="nobody"):
        call(Host(), name, {"processId": "nobody"})


def test_a_process_cannot_wait_for_itself() -> None:
    with pytest.raises(ActionInputError, match="its own end"):
        call(Host(), "wait", {"processId": "p1"})


def test_the_keys_are_known_to_validation() -> None:
    actions = Actions(WorkflowService(Host()))
    keys = actions.signature("workflow", "run").input_keys
    assert keys is not None
    assert {"location", "workflow", "source", "context", "tasks", "parentLocation", "async", "ignoreError"} <= keys
    assert "waitTimeInMs" in keys
