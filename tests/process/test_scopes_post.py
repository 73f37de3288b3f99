"""The session, the scopes in it, what `init` and `post` set, and where."""

from __future__ import annotations

from typing import Any

import pytest

from fluxor_actors.definition import parse
from fluxor_actors.errors import InputError, TypeNotFoundError
from fluxor_actors.expression import Language
from fluxor_actors.process.commands import Start
from fluxor_actors.process.compile import compile_plan
from fluxor_actors.process.scope import Scope
from fluxor_actors.process.state import State
from tests.process.driver import Driver


def test_init_is_evaluated_in_order_each_seeing_the_earlier_ones() -> None:
    driver = Driver("name: w\ninit: {a: 1, b: '${a + 1}', c.d: '${b}', c.e: 4}\npipeline: {}").start()
    assert driver.session == {"a": 1, "b": 2, "c": {"d": 2, "e": 4}}


def test_a_name_given_by_the_caller_wins_over_init() -> None:
    assert Driver("name: w\ninit: {a: 1, b: '${a + 1}'}\npipeline: {}").start({"a": 10}).session == {"a": 10, "b": 11}


def test_an_init_that_fails_refuses_the_start_and_changes_nothing() -> None:
    driver = Driver("name: w\ninit: {a: '${1 / 0}'}\npipeline: {}")
    with pytest.raises(InputError, match="init of w"):
        driver.start()
    assert driver.status == "pending"
    assert driver.state.sequence == 0
    assert driver.state.environment == {}


def test_a_tasks_init_is_seen_by_it_and_all_below_it_and_nowhere_else() -> None:
    driver = Driver(
        """
name: w
pipeline:
  s: {init: {x: 1}, tasks: {a: {action: t:x, input: "${x}"}, t: {init: {x: "${x + 1}"}, tasks: {b: {action: t:x, input: "${x}"}}}, c: {action: t:x, input: "${x}"}}}
  d: {action: t:x, input: "<${x}>"}
"""
    ).start()
    assert [driver.session[name] for name in "abcd"] == [1, 2, 1, "<>"]
    assert "x" not in driver.session


def test_post_writes_to_the_nearest_scope_that_has_the_name_else_to_the_session() -> None:
    driver = Driver(
        """
name: w
pipeline:
  s:
    init: {near: 0}
    tasks:
      a: {action: t:x, post: {near: 1, far: 2}}
      b: {action: t:x, input: "${near}"}
"""
    ).start()
    assert driver.session["b"] == 1
    assert driver.session["far"] == 2
    assert "near" not in driver.session


def test_post_sees_the_outputs_top_level_keys_over_the_session() -> None:
    driver = Driver(
        "name: w\npipeline: {a: {action: t:x, input: {n: 5}, post: {seen: '${n}', own: '${a.n}', n: '${n + 1}'}}}"
    ).start({"n": 1})
    assert driver.session == {"n": 6, "a": {"n": 5}, "seen": 5, "own": 5}


def test_post_is_evaluated_in_order_each_seeing_the_earlier_ones() -> None:
    driver = Driver(
        "name: w\npipeline: {a: {action: t:x, post: {x: 1, y: '${x + 1}', z.k: '${y + 1}', z.l: '${z.k}'}}}"
    ).start()
    assert driver.session["z"] == {"k": 3, "l": 3}


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        (None, 1, [1]),
        ([1], 2, [1, 2]),
        ([1], [2, 3], [1, 2, 3]),
        ([1], None, [1]),
        (None, None, []),
        ([1], {"b": 2}, [1, {"b": 2}]),
    ],
)
def test_append(before: Any, value: Any, after: Any) -> None:
    driver = Driver('name: w\npipeline: {a: {action: t:x, input: "${value}", post: {"all[]": "${a}"}}}').start(
        {"all": before, "value": value}
    )
    assert driver.session["all"] == after


def test_append_inside_a_mapping() -> None:
    driver = Driver(
        'name: w\npipeline: {a: {action: t:x, post: {"x.y[]": 1}}, b: {action: t:x, post: {"x.y[]": [2]}}}'
    ).start({"x": {"z": 0}})
    assert driver.session["x"] == {"z": 0, "y": [1, 2]}


def test_to_append_to_something_else_fails_the_task() -> None:
    driver = Driver('name: w\npipeline: {a: {action: t:x, post: {"all[]": 1}}}').start({"all": "text"})
    assert driver.status == "failed"
    assert "cannot append to all: it is not a list but text" in driver.state.errors["w/a"]


def test_what_post_sets_never_changes_what_was_read_before() -> None:
    initial = {"x": {"y": [1]}}
    driver = Driver('name: w\npipeline: {a: {action: t:x, input: "${x}", post: {"x.y[]": 2, x.z: 3}}}').start(initial)
    assert initial == {"x": {"y": [1]}}
    assert driver.inputs[0][1] == {"y": [1]}
    assert driver.session["x"] == {"y": [1, 2], "z": 3}


def test_post_of_the_document_joins_the_process_output() -> None:
    driver = Driver(
        "name: w\npipeline: {a: {action: t:x, input: {n: 1}}}\npost: {total: '${a.n + 1}', seen: '${len(w)}'}"
    ).start()
    assert driver.session["total"] == 2


def test_a_post_of_the_document_that_fails_fails_the_process_and_only_it_is_done_again() -> None:
    driver = Driver(
        "name: w\npipeline: {a: {action: t:x}, finally: {action: t:x}}\npost: {total: '${1 / zero}'}"
    ).start({"zero": 0})
    assert driver.status == "failed"
    assert list(driver.state.errors) == ["w"]
    driver.resume_failed()
    assert driver.names() == ["a", "finally"]
    assert driver.status == "failed"


def test_a_failed_post_writes_nothing() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, post: {x: 1, y: '${1 / 0}'}}}").start()
    assert driver.session == {}


def test_the_namespace_is_the_key_of_the_output() -> None:
    assert Driver("name: w\npipeline: {a: {action: t:x, input: 1, namespace: other}}").start().session == {"other": 1}


def test_config_can_be_read() -> None:
    assert (
        Driver("name: w\nconfig: {k: {v: 3}}\npipeline: {a: {action: t:x, input: '${config.k.v}'}}")
        .start()
        .session["a"]
        == 3
    )


def test_a_typed_parameter_is_read_from_its_place_and_structured() -> None:
    text = """
name: w
config: {size: "7"}
init: {"size[int](config/size)": null, "home[str](env/HOME/dir)": null, "given[int](state/first.second)": null}
pipeline: {}
"""

    def structure(kind: str, value: Any, name: str) -> Any:
        if value is None:
            raise TypeNotFoundError(f"{name} is {kind}")
        return int(value) if kind == "int" else str(value)

    plan = compile_plan(parse(text), Language(), structure)
    assert plan.environment_names == ("HOME/dir",)
    driver = Driver("name: w\npipeline: {}")
    driver.plan, driver.state = plan, State(plan)
    driver.tell(Start("p1", {"first": {"second": "9"}}, environment={"env/HOME/dir": "/root"}))
    assert {key: driver.session[key] for key in ("size", "home", "given")} == {"size": 7, "home": "/root", "given": 9}
    broken = State(plan)
    driver.state = broken
    with pytest.raises(InputError):
        driver.tell(Start("p1", {"first": {"second": "9"}}))
    assert broken.environment == {}


def test_scopes_read_outwards_and_copy_whole() -> None:
    session = Scope({"a": 1, "b": 2}, specials={"config": {"x": 1}})
    inner = Scope({"b": 3}, session)
    assert "a" in inner
    assert "zz" not in inner
    assert inner.get("zz", 5) == 5
    assert dict(inner.visible()) == {"a": 1, "b": 3}
    assert sorted(inner) == ["a", "b"]
    assert sorted(session) == ["a", "b"]
    assert inner["config"] == {"x": 1}
    assert inner["$"] is session
    with pytest.raises(KeyError):
        inner["zz"]
