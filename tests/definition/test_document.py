"""Documents: their forms, and what is said of wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fluxor_actors.definition import Action, Kind, Problem, Task, Workflow, parse
from fluxor_actors.definition.keys import DOCUMENT_KEYS, TASK_KEYS
from fluxor_actors.errors import DefinitionError
from fluxor_actors.errors.definition import ProblemLike
from tests.definition.helpers import problems_of, read, refused

PLAN = Task(name="plan", action=Action(service="nop", method="nop"))


@pytest.mark.parametrize(
    "pipeline",
    [
        "{plan: {action: 'nop:nop'}, noop: }",
        "[{id: plan, action: 'nop:nop'}, {id: noop}]",
        "[{plan: {action: 'nop:nop'}}, {noop: }]",
        "{kind: Sequence, tasks: {plan: {action: 'nop:nop'}, noop: {}}}",
        "{kind: sequence, tasks: [{id: plan, action: {service: nop, method: nop}}, {noop: {}}]}",
        "{PLAN2: {tasks: {}}, plan: {service: nop, action: nop}, noop: }",
    ],
)
def test_the_forms_of_a_pipeline_are_equal(pipeline: str) -> None:
    workflow = read(f"pipeline: {pipeline}")
    names = [task.name for task in workflow.pipeline if task.name != "PLAN2"]
    assert names == ["plan", "noop"]
    plan = next(task for task in workflow.pipeline if task.name == "plan")
    assert plan.action == PLAN.action


def test_names_of_workflows() -> None:
    text = "pipeline: {a: }"
    assert parse(text, "flows/order.yaml").name == "order"
    assert parse(text, "s3://bucket/a/order.v2.yaml?x=1").name == "order.v2"
    assert parse(text, "C:\\flows\\order.yaml").name == "order"
    assert parse(text).name == parse(text).name
    assert parse(text).name.startswith("workflow-")
    assert parse(text).name != parse(text + "\n").name
    assert parse("name: 007\n" + text, "x.yaml").name == "007"


def test_keys_in_any_case_names_as_written() -> None:
    workflow = read(
        """
        NAME: w
        AutoPause: true
        Pipeline:
          Plan: {ACTION: "nop:nop", DEPENDSON: [Other], With: 1}
          Other: {}
        """
    )
    assert workflow.auto_pause
    assert [task.name for task in workflow.pipeline] == ["Plan", "Other"]
    assert workflow.pipeline[0].depends_on == ("Other",)
    assert workflow.pipeline[0].input == 1


def test_text_is_taken_as_written() -> None:
    workflow = read(
        """
        version: 1.10
        labels: {team: 007, on: no, empty: }
        pipeline: {1: {description: 0x1F, namespace: 1.0, when: true, dependsOn: 2}, 2: }
        """
    )
    assert workflow.version == "1.10"
    assert workflow.labels == {"team": "007", "on": "no", "empty": ""}
    task = workflow.pipeline[0]
    assert (task.name, task.description, task.namespace, task.when, task.depends_on) == (
        "1",
        "0x1F",
        "1.0",
        "true",
        ("2",),
    )


def test_children_under_tasks_and_under_their_names() -> None:
    task = read("pipeline: {a: {kind: parallel, x: {}, tasks: {init: {}, post: {}}, y: {}, catch: {}}}").pipeline[0]
    assert [child.name for child in task.tasks] == ["x", "init", "post", "y", "catch"]
    assert task.kind is Kind.PARALLEL


def test_the_root_tasks_own_parameters() -> None:
    workflow = read(
        "init: {a: 1}\npipeline: {init: {b: 2}, post: {c: 3}, concurrency: 2, kind: Graph, x: }\npost: {d: 4}"
    )
    assert [each.name for each in workflow.init] == ["a", "b"]
    assert [each.name for each in workflow.post] == ["c", "d"]
    assert (workflow.kind, workflow.concurrency) == (Kind.GRAPH, 2)


def test_another_name_for_the_pipeline() -> None:
    assert read("stages: {a: }", root_task_node_name="stages").pipeline == (Task(name="a"),)
    assert "`pipeline`" in refused("pipeline: {a: }", root_task_node_name="stages")


def test_all_problems_are_reported_together_in_order() -> None:
    found = problems_of(
        """\
        name: w
        pipelines: {}
        pipeline:
          a:
            action: nope
            retyr: {maxRetries: 3}
            dependsOn: nowhere
        """
    )
    assert [(each.position.line, each.position.column, each.task) for each in found if each.position] == [
        (2, 1, ""),
        (5, 13, "w/a"),
        (6, 5, "w/a"),
        (7, 16, "w/a"),
    ]
    assert (
        str(found[2])
        == "w.yaml:6:5: w/a: unknown key `retyr` (did you mean `retry`? A task of that name goes under `tasks:`)"
    )


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("foo: 3", ["unknown key `foo`"]),
        ("foo: [1]", ["unknown key `foo`"]),
        ("foo: ", ["unknown key `foo`"]),
        ("retyr: 3", ["did you mean `retry`"]),
        ("retyr: {maxRetries: 3}", ["did you mean `retry`"]),
        ("depends_on: x", ["did you mean `dependsOn`"]),
        ("depend: {}", []),
        ("if: x", ["did you mean `when`"]),
        ("needs: x", ["did you mean `dependsOn`"]),
        ("method: x", ["did you mean `action`"]),
        ("id: b", ["`id: b` differs", "`a`"]),
        ("name: b", ["`name: b` differs"]),
        ("post: {action: 'nop:nop'}", ["reserved", "tasks: {post: …}"]),
        ("init: {action: {service: a, method: b}}", ["reserved"]),
        ("retry: {action: 'nop:nop'}", ["reserved"]),
        ("action: nop", ["service:method", "'nop'", "such as nop:run"]),
        ("action: printer.print", ["did you mean `printer:print`?"]),
        ("action: ':nop'", ["service:method"]),
        ("action: {service: nop}", ["no `method`"]),
        ("service: nop", ["`service` without `action`"]),
        ("{service: nop, action: 'nop:nop'}", ["names a service"]),
        ("{action: {service: a, method: b, input: 1}, input: 2}", ["`input` stands in `action` and beside it"]),
        ("{action: 'nop:nop', input: 1, with: 2}", ["the same key"]),
        ("{action: 'nop:nop', When: a, when: b}", ["stands twice"]),
        ("{action: 'nop:nop', retry: 3}", ["`retry` is a mapping", "{maxRetries: 3, delay: 1s}"]),
        ("{action: 'nop:nop', retry: none}", ["{type: none}"]),
        ("{action: 'nop:nop', retry: {type: linear}}", ["none, fixed, exponential"]),
        ("{action: 'nop:nop', retry: {maxRetries: -1}}", ["whole number from 0"]),
        ("{action: 'nop:nop', retry: {maxRetries: true}}", ["whole number from 0", "true"]),
        ("{action: 'nop:nop', retry: {jitter: 2}}", ["from 0 to 1"]),
        ("{action: 'nop:nop', retry: {delay: soon}}", ["'soon' is not a duration"]),
        ("{action: 'nop:nop', retry: {maxRetrys: 3}}", ["did you mean `maxRetries`"]),
        ("goto: b", ["{task: b}"]),
        ("goto: {when: x}", ["no `task`"]),
        ("goto: {task: a, if: x}", ["did you mean `when`"]),
        ("await: first", ["true or a mapping"]),
        ("approval: true", ["{required: true}"]),
        ("approval: ", ["`approval` is a mapping; found nothing"]),
        ("async: yes", ["true or false", "without quotes"]),
        ("kind: Paralel", ["did you mean Parallel"]),
        ("concurrency: 0", ["whole number from 1"]),
        ("timeout: -1", ["out of range"]),
        ("timeout: [1]", ["a duration; found a list"]),
        ("timeout: 0", ["zero"]),
        ("when: {x}", ["`when` is text; found a mapping", "quote"]),
        ("when: ", ["`when`"]),
        ("dependsOn: {a: b}", ["a name or a list of names"]),
        ("dependsOn: [[a]]", ["`dependsOn` is text"]),
        ("init: [a]", ["`init` is a mapping"]),
        ("init: {'a[]': 1}", ["only `post` can"]),
        ("post: {'a[': 1}", ["no type"]),
        ("post: {'a[string](file/x)': 1}", ["unknown kind 'file'"]),
        ("post: {'a[string](env)': 1}", ["needs a location"]),
        ("matrix: {os: '${list}'}", ["`template` or `emit`"]),
        ("matrix: {os: []}", ["no values"]),
        ("matrix: {os: ['${x}']}", ["`template` or `emit`"]),
        ("matrix: {}", ["no axes"]),
        ("matrix: {os: [a], exclude: [{v: 1}]}", ["not an axis"]),
        ("matrix: {os: [a], exclude: [{os: a}]}", ["excludes every"]),
        ("matrix: {os: [a], include: 3}", ["a list of {axis: value}"]),
        ("template: {selector: [], task: {x: {}}}", ["`selector` is empty"]),
        ("template: {task: {x: {}}}", ["no `selector`"]),
        ("template: {selector: [{name: x, value: 1}]}", ["no `task`"]),
        ("template: {selector: [{name: x}], task: {x: {}}}", ["`name` and `value`"]),
        ("template: {selector: [{name: x, value: 1}], task: {action: 'nop:nop'}}", ["one task"]),
        ("template: {selector: [{name: x, value: 1}], task: {x: {}, y: {}}}", ["one task"]),
        ("emit: {forEach: {a: 1}, task: {x: {}}}", ["an expression or a list"]),
        ("emit: {task: {x: {}}}", ["no `forEach`"]),
        ("tasks: 3", ["a mapping or a list of tasks"]),
        ("tasks: [x]", ["is a task; found the text 'x'"]),
        ("tasks: [{a: {}, b: {}}]", ["has no `id`"]),
        ("tasks: {x: 3}", ["task `x` is a mapping"]),
        ("catch: [x]", ["`catch` is text".replace("text", "a task: a mapping")]),
    ],
)  # fmt: skip
def test_wrong_tasks(body: str, parts: list[str]) -> None:
    indented = body if body.startswith("{") else f"{{{body}}}"
    if not parts:
        read(f"pipeline: {{a: {indented}}}")
        return
    message = refused(f"pipeline: {{a: {indented}}}")
    assert "w/a" in message
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[1]", ["a workflow is a mapping; found a list"]),
        ("hello", ["found the text 'hello'"]),
        ("name: x", ["no `pipeline`"]),
        ("pipeline: ", ["a mapping or a list of tasks; found nothing", "{}"]),
        ("pipeline: {a: , when: x}", ["`when` cannot stand in `pipeline`"]),
        ("pipeline: {a: , retry: {maxRetries: 1}}", ["beside `pipeline`"]),
        ("pipeline: {a: , foo: 1}", ["unknown key `foo`"]),
        ("pipeline: {}\nfetch: {action: 'nop:nop'}", ["unknown key `fetch`"]),
        ("fetch: {action: 'nop:nop'}", ["tasks go under `pipeline:`"]),
        ("pipeline: {}\nPipeline: {}", ["stands twice"]),
        ("pipeline: {}\npolicy: deny", ["{mode: deny}"]),
        ("pipeline: {}\npolicy: {mode: denny}", ["one of auto, ask, deny"]),
        ("pipeline: {}\npolicy: ", ["`policy` is a mapping"]),
        ("pipeline: {}\ninputs: {a: string}", ["{type: string}"]),
        ("pipeline: {}\ninputs: {a.b: {}}", ["not an input's name"]),
        ("pipeline: {}\ninputs: [a]", ["`inputs` is a mapping"]),
        ("pipeline: {}\nconfig: 3", ["`config` is a mapping"]),
        ("pipeline: {}\nlabels: {a: [1]}", ["`labels.a` is text"]),
        ("pipeline: {}\nimport: x", ["`import` is a mapping"]),
        ("pipeline: {}\nautoPause: 1", ["true or false"]),
        ("name: a/b\npipeline: {}", ["contains /"]),
        ("name: ' a'\npipeline: {}", ["blanks at its ends"]),
        ("pipeline: {'a[0]': {}}", ["free of / [ ] #"]),
        ("pipeline: {'a ': {}}", ["blanks"]),
        ("pipeline: [{id: a}, {id: a}]", ["duplicate task `a`", "line 1"]),
        ("pipeline: {a: {}, tasks: {a: {}}}", ["duplicate task `a`"]),
        ("pipeline: {a: {}}\ndependencies: {a: {}}", ["duplicate task `a`"]),
    ],
)
def test_wrong_documents(text: str, parts: list[str]) -> None:
    message = refused(text)
    for part in parts:
        assert part in message


_VALUES: list[Any] = [
    None,
    3,
    -1.5,
    True,
    "text",
    "",
    "${x}",
    [],
    [1],
    ["a"],
    [[]],
    [{}],
    {},
    {"a": 1},
    {"a": {"b": {}}},
    {"task": []},
]


@pytest.mark.parametrize("key", DOCUMENT_KEYS)
def test_any_value_under_a_key_of_a_document(key: str) -> None:
    for value in _VALUES:
        document = {"pipeline": {"a": {"action": "nop:nop"}}, key: value}
        _parses_or_is_refused(yaml.safe_dump(document, sort_keys=False))


@pytest.mark.parametrize("key", TASK_KEYS)
def test_any_value_under_a_key_of_a_task(key: str) -> None:
    for value in _VALUES:
        for task in ({key: value}, {"action": "nop:nop", key: value}):
            _parses_or_is_refused(yaml.safe_dump({"pipeline": {"a": task}}, sort_keys=False))


_INNER = [
    "selector",
    "task",
    "forEach",
    "as",
    "mode",
    "merge",
    "on",
    "signal",
    "timeout",
    "type",
    "maxRetries",
    "delay",
    "multiplier",
    "maxDelay",
    "jitter",
    "retryOn",
    "required",
    "approvers",
    "quorum",
    "expiresIn",
    "onExpire",
    "allow",
    "block",
    "include",
    "exclude",
    "failFast",
    "service",
    "method",
    "input",
    "name",
    "value",
    "when",
    "default",
]


@given(
    st.recursive(
        st.sampled_from(_VALUES),
        lambda below: (
            st.lists(below, max_size=2)
            | st.dictionaries(st.sampled_from([*TASK_KEYS, *_INNER, "x", "y"]), below, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_any_shape_is_a_workflow_or_refused(value: Any) -> None:
    _parses_or_is_refused(yaml.safe_dump({"pipeline": {"a": value}}, sort_keys=False))
    _parses_or_is_refused(yaml.safe_dump({"pipeline": value}, sort_keys=False))


def _parses_or_is_refused(text: str) -> None:
    problems: Sequence[ProblemLike] = ()
    try:
        assert isinstance(parse(text), Workflow)
    except DefinitionError as error:
        problems = error.problems
        if not problems:
            raise
    assert [problem for problem in problems if isinstance(problem, Problem) and problem.position is None] == []
