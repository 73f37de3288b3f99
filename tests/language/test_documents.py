"""The keys of a document, at work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from attrs import frozen

from fluxor_actors import DefinitionError, InputError
from tests.language.support import WAIT, Lab, open_lab

# Inputs -----------------------------------------------------------------------------------------------------------------

INPUTS = """
inputs:
  items: {type: "[]string", required: true, description: What was ordered}
  express: {type: bool, default: false}
  note: {}
pipeline:
  a: {action: do:echo, input: {value: ["${items}", "${express}", "${note}"]}}
"""


def test_inputs_are_taken_and_defaults_filled_in(lab: Lab) -> None:
    assert lab.run(INPUTS, {"items": ["x"], "note": 3}).output["a"] == [["x"], False, 3]
    assert lab.run(INPUTS, {"items": [], "express": True, "note": None}).output["a"] == [[], True, None]


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({}, ["items"]),
        ({"express": True}, ["items"]),
        ({"items": None}, ["items"]),
        ({"items": "x"}, ["items", "list"]),
        ({"items": ["x", 3]}, ["items", "1", "string"]),
        ({"items": ["x"], "express": "yes"}, ["express", "bool"]),
    ],
)
def test_what_lacks_an_input_or_does_not_fit_does_not_start(
    lab: Lab, given: dict[str, object], parts: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        lab.start(INPUTS, given)
    for part in parts:
        assert part in str(caught.value)


# Init and post ------------------------------------------------------------------------------------------------------------


def test_init_is_evaluated_in_order_and_the_caller_wins(lab: Lab) -> None:
    text = """
    init: {a: 1, b: "${a + 1}", c: "${b + 1}"}
    pipeline: {}
    """
    assert lab.run(text).output == {"a": 1, "b": 2, "c": 3}
    assert lab.run(text, {"b": 10}).output == {"a": 1, "b": 10, "c": 11}


def test_post_of_the_document_joins_the_output(lab: Lab) -> None:
    text = """
    init: {seen: []}
    pipeline:
      post: {early: "${a}"}
      a: {action: do:echo, input: {value: 5}}
    post: {total: "${a + 1}", more: "${total + early}", "seen[]": "${total}", deep.er: 1}
    """
    assert lab.run(text).output == {"a": 5, "early": 5, "total": 6, "more": 11, "seen": [6], "deep": {"er": 1}}


def test_names_with_points_and_brackets(lab: Lab) -> None:
    text = """
    init: {list: [1], a: {x: 1}}
    pipeline:
      one: {post: {"list[]": 2, a.b.c: 3, "new[]": "${list}"}}
      two: {post: {"list[]": [3, [4]], "new[]": null, a.x: 2}}
    """
    assert lab.run(text).output == {
        "list": [1, 2, 3, [4]],
        "a": {"x": 2, "b": {"c": 3}},
        "new": [1, 2],
        "one": None,
        "two": None,
    }


def test_a_name_with_points_below_what_is_no_mapping_fails(lab: Lab) -> None:
    ran = lab.run("init: {n: 3}\npipeline: {a: {post: {n.x: 1}}}")
    assert ran.state == "failed"
    assert "cannot set n.x: n is not a mapping but a number" in ran.errors["w/a"]
    with pytest.raises(InputError, match=r"cannot set a\.b\.c: a\.b is not a mapping but text"):
        lab.start("init: {a: {b: text}, a.b.c: 1}\npipeline: {}")


# Typed parameters -----------------------------------------------------------------------------------------------------------


@frozen
class Item:
    name: str
    count: int = 1


TYPED = """
import: {shop: com.example}
config: {limits: {north: {a: 1}}, "path/with:all": 5}
init:
  "one[shop.Item](state/given)":
  "many[[]shop.Item](state/all)": null
  "table[map[string]int](config/limits.north)":
  "matrix[[][]int]": [[1], [2, 3]]
  "lists[map[string][]string]": {a: [x]}
  "home[string](env/FLUXOR_TEST_HOME)":
  "odd[int](config/path/with:all)":
  "set[int](state/no)": 7
  "free[any](/x)": "${set}"
pipeline: {}
"""


def test_typed_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "FLUXOR_TEST_HOME", "/home/x")
    with open_lab(types={"com.example.Item": Item}) as lab:
        output = lab.run(TYPED, {"given": {"name": "a"}, "all": [{"name": "b", "count": 2}]}).output
        assert {
            name: output[name] for name in ("one", "many", "table", "matrix", "lists", "home", "odd", "set", "free")
        } == {
            "one": {"name": "a", "count": 1},
            "many": [{"name": "b", "count": 2}],
            "table": {"a": 1},
            "matrix": [[1], [2, 3]],
            "lists": {"a": ["x"]},
            "home": "/home/x",
            "odd": 5,
            "set": 7,
            "free": 7,
        }
        with pytest.raises(InputError, match=r"one\.count"):
            lab.start(TYPED, {"given": {"name": "a", "count": "many"}, "all": []})
        with pytest.raises(InputError, match=r"many\[1\]"):
            lab.start(TYPED, {"given": {"name": "a"}, "all": [{"name": "b"}, 3]})
        with pytest.raises(DefinitionError, match=r"shop\.Order"):
            lab.start("import: {shop: com.example}\ninit: {'a[shop.Order]': 1}\npipeline: {}")


def test_what_the_caller_gives_has_to_fit_the_type_too(lab: Lab) -> None:
    text = "init: {'n[int]': 1, 'list[[]int]': [], m: '${n + 1}'}\npipeline: {}"
    assert lab.run(text, {"n": 4, "list": [5]}).output == {"n": 4, "list": [5], "m": 5}
    with pytest.raises(InputError, match=r"list\[1\]: expected int"):
        lab.start(text, {"list": [1, "x"]})


def test_a_typed_parameter_of_a_task_that_does_not_fit_fails_it(lab: Lab) -> None:
    for text in (
        "pipeline: {a: {post: {'n[int]': text}}}",
        "pipeline: {a: {init: {'n[int]': text}}}",
        "pipeline: {a: {init: {'n[[]int]': [1, text]}}}",
    ):
        ran = lab.run(text)
        assert (ran.state, list(ran.errors)) == ("failed", ["w/a"])
        assert "expected int" in ran.errors["w/a"]


# The rest -----------------------------------------------------------------------------------------------------------------


def test_config_is_read_by_expressions(lab: Lab) -> None:
    text = """
    config: {carrier: {name: acme}}
    pipeline:
      a: {when: "config.carrier.name == 'acme'", action: do:echo, input: {value: "by ${config.carrier.name} ${config.no}."}}
    """
    assert lab.run(text).output == {"a": "by acme ."}


def test_dependencies_run_on_demand_and_once(lab: Lab) -> None:
    text = """
    pipeline:
      a: {action: do:echo}
      b: {dependsOn: base, action: do:echo}
      c: {dependsOn: [base, b], action: do:echo}
    dependencies:
      base: {dependsOn: lower, action: do:echo, input: {value: 1}}
      lower: {first: {action: do:echo}, second: {action: do:echo}}
      unused: {action: do:echo}
    """
    ran = lab.run(text)
    assert ran.order == ["a", "lower/first", "lower/second", "base", "b", "c"]
    assert ran.output["base"] == 1
    assert "unused" not in ran.output


def test_the_documents_retry_is_the_default_of_its_tasks(lab: Lab) -> None:
    text = """
    retry: {maxRetries: 1}
    pipeline:
      a: {action: do:flaky, input: {good: 2}}
      b: {action: do:flaky, input: {good: 3}, retry: {maxRetries: 2}}
      c: {action: do:flaky, input: {good: 2}, retry: {type: none}}
    """
    ran = lab.run(text)
    assert (ran.output["a"]["attempt"], ran.output["b"]["attempt"]) == (2, 3)
    assert ran.errors == {"w/c": "attempt 1"}


def test_the_documents_timeout_bounds_the_process(timed: Lab) -> None:
    run = timed.start("timeout: 1m\npipeline: {a: {action: do:gate, input: {name: never}}, b: {action: do:echo}}")
    timed.begun(run, "a")
    timed.clock.step(60)
    ran = timed.end(run)
    assert ran.state == "failed"
    assert "1m" in ran.errors["w"] or "60" in ran.errors["w"]
    assert ran.order == ["a", "a!"]


def test_auto_pause_of_the_document_is_stepping(lab: Lab) -> None:
    run = lab.start(
        "autoPause: true\npipeline: {a: {action: do:echo}, b: {c: {action: do:echo}}, d: {}}", process_id="stepping"
    )
    for done in ([], ["a"]):
        assert lab.until_paused(run) == done
        run.resume()
    assert lab.end(run).order == ["a", "b/c"]


def test_auto_pause_of_a_task_comes_when_it_has_completed(lab: Lab) -> None:
    run = lab.start(
        "init: {n: 0}\npipeline: {a: {autoPause: true, action: do:echo, post: {n: 1}, goto: {task: c}}, b: {action: do:echo}, c: {action: do:echo}}"
    )
    assert (lab.until_paused(run), run.process().session["n"]) == (["a"], 1)
    run.resume()
    assert lab.end(run).order == ["a", "c"]


def test_labels_and_texts_are_kept_with_the_process(lab: Lab) -> None:
    run = lab.start("version: 1.10\nlabels: {team: a, on: no}\npipeline: {}", labels={"more": "b"})
    run.wait(WAIT)
    process = run.process()
    assert (process.version, dict(process.labels)) == ("1.10", {"team": "a", "on": "no", "more": "b"})


def test_another_name_for_the_pipeline(lab: Lab) -> None:
    with open_lab(root_task_node_name="stages") as other:
        assert other.run("stages: {a: {action: do:echo, input: {value: 1}}}").output == {"a": 1}


@pytest.mark.parametrize(
    "pipeline",
    [
        "{a: {action: do:echo}, b: {action: do:echo}}",
        "[{id: a, action: do:echo}, {b: {action: do:echo}}]",
        "{kind: Sequence, tasks: {a: {action: do:echo}, b: {action: do:echo}}}",
        "{kind: sequence, tasks: [{id: a, action: do:echo}, {id: b, service: do, action: echo}]}",
        "{A: {Tasks: []}, a: {action: {service: do, method: echo}}, tasks: {b: {ACTION: do:echo}}}",
    ],
)
def test_the_forms_of_a_pipeline_run_alike(lab: Lab, pipeline: str) -> None:
    assert lab.run(f"pipeline: {pipeline}").order == ["a", "b"]


# Loading ------------------------------------------------------------------------------------------------------------------


def test_documents_are_loaded_with_what_they_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "FLUXOR_TEST_WHO", "Ann")
    (tmp_path / "parts").mkdir()
    (tmp_path / "order.yaml").write_text(
        "pipeline:\n  ship: $import(parts/ship:ship)\n  mail:\n    action: do:echo\n"
        "    input: {value: {text: $import(parts/mail.txt), at: $path(parts/x.csv), no: '<${env.FLUXOR_NO}>'}}\n"
    )
    (tmp_path / "parts" / "ship.yaml").write_text("ship: {action: do:echo, input: {value: $import(value.json)}}")
    (tmp_path / "parts" / "value.json").write_text('{"who": "${env.FLUXOR_TEST_WHO}", "n": [1]}')
    (tmp_path / "parts" / "mail.txt").write_text("Dear Ann,\n")
    with open_lab(meta_base_url=str(tmp_path)) as lab:
        runtime = lab.engine.runtime
        run = runtime.start_process(runtime.load_workflow("order"))
        output = run.wait(WAIT)
        assert output.output["ship"] == {"who": "Ann", "n": [1]}
        assert output.output["mail"] == {"text": "Dear Ann,\n", "at": f"{tmp_path}/parts/x.csv", "no": "<>"}
        assert run.process().workflow == "order"
        # Kept until it is refreshed or upserted, and never replaced by what does not validate.
        (tmp_path / "parts" / "ship.yaml").write_text("ship: {action: do:echo, input: {value: new}}")
        assert runtime.start_process(runtime.load_workflow("order")).wait(WAIT).output["ship"] == {
            "who": "Ann",
            "n": [1],
        }
        runtime.refresh_workflow("order")
        assert runtime.start_process(runtime.load_workflow("order")).wait(WAIT).output["ship"] == "new"
        before = (tmp_path / "order.yaml").read_text()
        with pytest.raises(DefinitionError):
            runtime.upsert_definition("order", "pipeline: {a: {dependsOn: nowhere}}")
        assert (tmp_path / "order.yaml").read_text() == before
        runtime.upsert_definition("order", "pipeline: {a: {action: do:echo, input: {value: 3}}}")
        assert runtime.start_process(runtime.load_workflow("order")).wait(WAIT).output == {"a": 3}
