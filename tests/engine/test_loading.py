"""Documents: loaded, decoded, refreshed, stored, refused; and what the engine is given to run them with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from fluxor_actors import DefinitionError, LocationError, RegistryError, action, method
from tests.engine.support import ONE, SIGNAL, WAIT, Make, echo, start, workflow


def write(folder: Path, name: str, text: str) -> str:
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    return str(place)


def echoing(value: object, name: str = "w") -> str:
    return f"name: {name}\npipeline: {{a: {{action: test:echo, input: {{value: {value}}}}}}}"


# Loading ----------------------------------------------------------------------------------------------------------------


def test_documents_are_loaded_against_the_base_and_cached(make: Make, tmp_path: Path) -> None:
    write(tmp_path, "one.yaml", echoing(1))
    engine = make(echo, meta_base_url=str(tmp_path))
    first = engine.runtime.load_workflow("one")
    write(tmp_path, "one.yaml", echoing(2))
    assert engine.runtime.load_workflow("one.yaml") is first
    running = engine.runtime.start_process(first, process_id="p")
    assert running.wait(WAIT).output["a"] == 1
    engine.runtime.refresh_workflow("one")
    assert engine.runtime.start_process(engine.runtime.load_workflow("one")).wait(WAIT).output["a"] == 2
    with pytest.raises(LocationError, match="no such file"):
        engine.runtime.load_workflow("nope")


def test_a_process_stays_with_the_definition_it_started_with(make: Make, tmp_path: Path) -> None:
    text = "name: w\npipeline: {a: {await: {signal: go}}, b: {action: test:echo, input: {value: %d}}}"
    location = write(tmp_path, "w.yaml", text % 1)
    engine = make(echo)
    old = engine.runtime.start_process(engine.runtime.load_workflow(location))
    engine.runtime.upsert_definition(location, text % 2)
    new = engine.runtime.start_process(engine.runtime.load_workflow(location))
    assert old.process().definition_hash != new.process().definition_hash
    for run in (old, new):
        run.signal("go")
    assert [run.wait(WAIT).output["b"] for run in (old, new)] == [1, 2]


def test_upsert_validates_first(make: Make, tmp_path: Path) -> None:
    location = write(tmp_path, "w.yaml", echoing(1))
    engine = make(echo)
    engine.runtime.load_workflow(location)
    for bad in (
        "pipeline: [",
        "pipeline: {a: {action: no:where}}",
        "policy: {mode: aks}\npipeline: {a: {action: nop:nop}}",
    ):
        with pytest.raises(DefinitionError):
            engine.runtime.upsert_definition(location, bad)
    assert Path(location).read_text(encoding="utf-8") == echoing(1)
    assert engine.runtime.start_process(engine.runtime.load_workflow(location)).wait(WAIT).output["a"] == 1
    write(tmp_path, "w.yaml", echoing(3))
    engine.runtime.upsert_definition(location)
    assert engine.runtime.start_process(engine.runtime.load_workflow(location)).wait(WAIT).output["a"] == 3


def test_sub_workflows_are_found_beside_their_parent(make: Make, tmp_path: Path) -> None:
    """Two documents of the same text in two folders each start the child that stands beside them."""
    parent = "name: parent\npipeline: {c: {action: workflow:run, input: {location: sub/child}}}"
    engine = make(echo, meta_base_url=str(tmp_path / "base"))
    for name in ("one", "two"):
        write(tmp_path, f"{name}/parent.yaml", parent)
        write(tmp_path, f"{name}/sub/child.yaml", echoing(name, "child"))
    write(tmp_path, "base/sub/child.yaml", echoing("base", "child"))
    write(tmp_path, "alone/parent.yaml", parent)
    for name, expected in (("one", "one"), ("two", "two"), ("alone", "base")):
        loaded = engine.runtime.load_workflow(str(tmp_path / name / "parent"))
        assert engine.runtime.start_process(loaded).wait(WAIT).output["c"]["output"]["a"] == expected
    decoded = workflow(engine, parent)
    assert engine.runtime.start_process(decoded).wait(WAIT).output["c"]["output"]["a"] == "base"


def test_a_grandchild_is_found_beside_the_child(make: Make, tmp_path: Path) -> None:
    write(tmp_path, "top.yaml", "name: top\npipeline: {c: {action: workflow:run, input: {location: deep/middle}}}")
    write(tmp_path, "deep/middle.yaml", "name: middle\npipeline: {c: {action: workflow:run, input: {location: leaf}}}")
    write(tmp_path, "deep/leaf.yaml", echoing(7, "leaf"))
    engine = make(echo, meta_base_url=str(tmp_path))
    output = engine.runtime.start_process(engine.runtime.load_workflow("top")).wait(WAIT).raise_for_error().output
    assert output["c"]["output"]["c"]["output"]["a"] == 7


def test_documents_may_come_from_the_applications_own_service(make: Make) -> None:
    class Meta:
        def load(self, location: str) -> bytes:
            return {"mine/one.yaml": echoing(5).encode()}[location]

        def exists(self, location: str) -> bool:
            return True

        def list(self, location: str) -> list[str]:
            return []

        def download(self, location: str, target: str) -> None:
            raise NotImplementedError

    engine = make(echo, meta_service=Meta(), meta_base_url="mine")
    assert engine.runtime.start_process(engine.runtime.load_workflow("one")).wait(WAIT).output["a"] == 5
    with pytest.raises(LocationError):
        engine.runtime.load_workflow("two")
    # It cannot store documents: what is upserted is kept in memory.
    engine.runtime.upsert_definition("one", echoing(6))
    assert engine.runtime.start_process(engine.runtime.load_workflow("one")).wait(WAIT).output["a"] == 6


def test_the_root_key_may_have_another_name(make: Make) -> None:
    engine = make(echo, root_task_node_name="stages")
    text = "name: w\nstages: {a: {action: test:echo, input: {value: 1}}, b: {await: {signal: go}}}"
    run = start(engine, text)
    run.signal("go", 2)
    assert run.wait(WAIT).output == {"a": 1, "b": 2}
    with pytest.raises(DefinitionError, match="stages"):
        workflow(engine, ONE)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        b"\x00\xff\xfe\x80",
        "[" * 100_000,
        "{" * 100_000,
        "a: &a [*a]",
        "pipeline: {a: {action: nop:nop}, a: {}}",
        "\t- x",
        "5",
    ],
)
def test_hostile_text_is_refused(make: Make, bad: str | bytes) -> None:
    with pytest.raises(DefinitionError):
        make().runtime.decode_yaml_workflow(bad)


def test_problems_are_told_all_at_once_with_their_places(make: Make) -> None:
    with pytest.raises(DefinitionError) as caught:
        workflow(
            make(echo), "name: w\npipeline:\n  a: {action: test:ecko}\n  b: {action: test:echo, input: {valeu: 1}}\n"
        )
    [first, second] = caught.value.problems
    assert "3:" in str(first)
    assert "test:echo" in str(first) or "echo" in str(first)
    assert "4:" in str(second)
    assert "value" in str(second)


# Services, types, functions ---------------------------------------------------------------------------------------------


@attrs.frozen
class Order:
    id: str
    count: int = 1


def test_services_and_types_may_come_later(make: Make) -> None:
    class Shop:
        name = "shop"

        @method
        def price(self, order: Order) -> float:
            return order.count * 2.5

    engine = make()
    text = """
    name: w
    init: {"order[Order]": "${given}"}
    pipeline: {a: {action: shop:price, input: "${order}"}}
    """
    with pytest.raises(DefinitionError, match="shop:price"):
        workflow(engine, text)
    engine.register_services(Shop())
    engine.register_types(Order)
    run = start(engine, text, {"given": {"id": "x"}})
    output = run.wait(WAIT).output
    assert (output["a"], output["order"]) == (2.5, {"id": "x", "count": 1})
    with pytest.raises(RegistryError):
        engine.register_services(Shop())


@pytest.mark.parametrize("types", [[Order], {"Order": Order}])
def test_types_are_given_as_classes_or_by_name(make: Make, types: Any) -> None:
    engine = make(echo, types=types)
    text = (
        'name: w\ninputs: {o: {type: "[]Order"}}\npipeline: {a: {action: test:echo, input: {value: "${o[0].count}"}}}'
    )
    assert start(engine, text, {"o": [{"id": "x", "count": 4}]}).wait(WAIT).output["a"] == 4
    with pytest.raises(Exception, match="count"):
        start(engine, text, {"o": [{"id": "x", "count": "4"}]})


def test_functions_of_the_application(make: Make) -> None:
    def shout(text: str) -> str:
        return text.upper()

    engine = make(echo, functions={"shout": shout})
    assert start(engine, echoing('"${shout(word)}"'), {"word": "hi"}).wait(WAIT).output["a"] == "HI"


def test_a_proxy_wraps_every_service(make: Make) -> None:
    calls: list[str] = []

    class Counting:
        def __init__(self, inner: Any) -> None:
            self.inner = inner
            self.name = inner.name

        def methods(self) -> Any:
            return self.inner.methods()

        def method(self, name: str) -> Any:
            calls.append(f"{self.name}:{name}")
            return self.inner.method(name)

    engine = make(echo, service_proxy=Counting)
    assert start(engine, echoing(1)).wait(WAIT).output["a"] == 1
    assert "test:echo" in calls


def test_a_default_retry_of_the_engine(make: Make) -> None:
    from fluxor_actors.definition import Retry

    calls: list[int] = []

    @action("test:twice")
    def twice() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise ValueError("again")
        return len(calls)

    engine = make(twice, retry=Retry(max_retries=2))
    assert start(engine, "name: w\npipeline: {a: {action: test:twice}}").wait(WAIT).output["a"] == 3


def test_snapshots_and_outputs_are_plain(make: Make) -> None:
    output = start(make(echo), echoing('{x: [1, "${len(items)}", null]}'), {"items": [1, 2]}).wait(WAIT)
    assert type(output.output) is dict
    assert json.loads(json.dumps(output.output)) == {"items": [1, 2], "a": {"x": [1, 2, None]}}


def test_parked_processes_survive_many_others(make: Make) -> None:
    engine = make(echo, retain=5)
    parked = start(engine, SIGNAL)
    for _ in range(50):
        start(engine, ONE).wait(WAIT)
    parked.signal("go", 1)
    assert parked.wait(WAIT).output["got"] == 1
