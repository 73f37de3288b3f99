"""The static checks, for documents that read well and mean nothing good."""

from __future__ import annotations

from typing import Any

import pytest

from fluxor_actors.definition import Action, Parameter, Retry, Task, Transition, TypeRegistry, Workflow, parse, validate
from fluxor_actors.errors import DefinitionError, MethodNotFoundError, ServiceNotFoundError
from fluxor_actors.expression import Language
from tests.definition.helpers import problems_of, read, refused, warnings_of


@pytest.mark.parametrize(
    ("tasks", "parts"),
    [
        # what goes together
        ("a: {retry: {maxRetries: 1}}", ["`retry` on a task without an action"]),
        ("a: {input: 1}", ["`input` on a task without an action"]),
        ("a: {heartbeatTimeout: 1s}", ["`heartbeatTimeout` on a task without an action"]),
        ("a: {onCrash: ask}", ["`onCrash` on a task without an action"]),
        ("a: {action: 'nop:nop', b: {}}", ["an action and children"]),
        ("a: {action: 'nop:nop', catch: {}}", ["an action and children"]),
        ("a: {action: 'nop:nop', emit: {forEach: x, task: {w: {}}}}", ["an action and an emit"]),
        ("a: {kind: Graph}", ["`kind: Graph` on a task without children"]),
        ("a: {await: true}", ["nothing to wait for"]),
        ("a: {await: {on: x, signal: y}}", ["`on` and `signal`"]),
        ("a: {await: {signal: y, mode: first}}", ["no `mode`"]),
        ("a: {emit: {forEach: x, task: {w: {}}}, await: {signal: y}}", ["beside `emit`"]),
        ("a: {await: {signal: y}, b: {}}", ["waits for them anyway"]),
        ("a: {b: {}, tasks: {catch: {}, Catch: {}}}", ["a second `catch`"]),
        ("a: {approval: {approvers: [x, y], quorum: 3}}", ["never be reached"]),
        ("a: {emit: {forEach: x, as: a-b, task: {w: {}}}}", ["`emit.as: a-b`"]),
        ("a: {matrix: {Include: 3}}", ["a list of {axis: value}"]),
        ("a: {matrix: {x: [%s], y: [%s]}}" % (("1, " * 400,) * 2), ["160,000 combinations"]),
        ("a: {post: {'a[string](env/X)': 1, 'a[string]( env/X)': 1}}", ["unknown kind"]),
        # references
        ("a: {dependsOn: zzz}\n  b: {c: {}}", ["no task `zzz`", "tasks are w/a, w/b, w/b/c)"]),
        ("a: {dependsOn: plan}\n  plann: {}", ["no task `plan`", "did you mean w/plann?"]),
        ("a: {dependsOn: x}\n  b: {x: {}}\n  c: {x: {}}", ["several tasks", "w/b/x, w/c/x"]),
        ("a: {dependsOn: a}", ["depends on itself"]),
        ("a: {b: {dependsOn: a}}", ["depends on w/a, in which it stands"]),
        ("a: {b: {dependsOn: w}}", ["in which it stands"]),
        ("a: {dependsOn: b, b: {}}", ["which stands in it"]),
        ("a: {dependsOn: b}\n  b: {dependsOn: c}\n  c: {dependsOn: a}", ["a cycle", "w/a → w/b → w/c → w/a"]),
        ("a: {dependsOn: x}\n  b: {dependsOn: a, x: {}}", ["a cycle"]),
        ("a: {x: {dependsOn: y}}\n  b: {dependsOn: a, y: {}}", ["a cycle"]),
        ("a: {dependsOn: work}\n  b: {emit: {forEach: x, task: {work: {}}}}", ["in the items of w/b"]),
        ("a: {dependsOn: x}\n  b: {matrix: {v: [1]}, x: {}}", ["in the items of w/b"]),
        ("a: {dependsOn: catch}\n  catch: {}", ["may never run"]),
        ("a: {await: {on: b}}\n  b: {}", ["emits nothing"]),
        ("a: {await: {on: a}}", ["awaits itself"]),
        ("a: {await: {on: zzz}}", ["no task `zzz`"]),
        # transitions
        ("a: {goto: {task: zzz}}", ["no task `zzz`"]),
        ("a: {goto: {when: x, task: y}}\n  b: {kind: Parallel, y: {}}", ["a branch of w/b, which is Parallel"]),
        ("b: {kind: Graph, x: {goto: {when: v, task: y}}, y: {}}", ["a branch of w/b, which is Graph"]),
        ("a: {goto: {when: x, task: y}}\n  b: {emit: {forEach: x, task: {w: {y: {}}}}}", ["inside an item of w/b"]),
        ("a: {goto: {when: x, task: y}}\n  b: {matrix: {v: [1]}, y: {}}", ["inside an item of w/b"]),
        ("a: {goto: {when: x, task: catch}}\n  catch: {}", ["ordinary order"]),
        ("a: {goto: {when: x, task: y}}\n  finally: {y: {}}", ["ordinary order"]),
        ("a: {}\n  finally: {x: {goto: {when: v, task: a}}}", ["would leave w/finally"]),
        ("a: {}\n  finally: {x: {goto: {when: v, task: finally}}}", ["would leave w/finally"]),
        ("a: {}\n  finally: {goto: {when: v, task: finally}}", ["would leave w/finally"]),
        ("a: {goto: {when: x, task: d}}\ndependencies: {d: {}}", ["runs only for the tasks that depend on it"]),
        ("a: {dependsOn: d}\ndependencies: {d: {goto: {when: x, task: a}}}", ["for which other tasks wait"]),
        # expressions
        ("a: {when: 'x <'}", ["`when`", "at character"]),
        ("a: {goto: {when: '(x', task: a}}", ["`goto.when`"]),
        ("a: {emit: {forEach: '${x', task: {w: {}}}}", ["`emit.forEach`"]),
        ("a: {init: {v: '${x +}'}}", ["`init`"]),
        ("a: {post: {v: ['${x +}']}}", ["`post[0]`"]),
        ("a: {action: 'nop:nop', input: {k: [1, '${1 +}']}}", ["`input.k[1]`", "w.yaml:2:41"]),
        ("a: {action: {service: a, method: b, input: {k: '${1 +}'}}}", ["`input.k`", "w.yaml:2:50"]),
        ("a: {template: {selector: [{name: x, value: '${'}], task: {w: {}}}}", ["`selector`"]),
        ("a: {when: 'lenn(x) > 1'}", ["unknown function 'lenn'", "did you mean len"]),
        ("a: {when: 'x ~/[/'}", ["`when`"]),
        ("a: {when: 'x = 1'}", ["unexpected '=' at character 3 of 'x = 1'", "did you mean ==?"]),
        ("a: {when: 'x | y'}", ["did you mean ||?"]),
        ("a: {when: '\"x'}", ["a quote that is not closed at character 1", 'expected `"`']),
        ("a: {init: {v: 'x ${y'}}", ["`${` is not closed at character 3", "`$${` for a literal one"]),
        # types
        ("a: {post: {'v[[]]': 1}}", ["not a type"]),
        ("a: {post: {'v[m.Order]': 1}}", ["unknown alias `m`"]),
    ],
)  # fmt: skip
def test_errors(tasks: str, parts: list[str]) -> None:
    message = refused(f"pipeline:\n  {tasks}")
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    "tasks",
    [
        "a: {dependsOn: b}\n  b: {}",
        "a: {dependsOn: [x]}\n  b: {x: {}}",
        "a: {dependsOn: d}\n  b: {dependsOn: d}\ndependencies: {d: {dependsOn: e}, e: {}}",
        "a: {emit: {forEach: x, task: {w: {tasks: {y: {}, z: {dependsOn: y, goto: {when: v, task: y}}}}}}}",
        "a: {emit: {forEach: x, task: {w: {goto: {when: v, task: w}}}}}",
        "a: {}\n  b: {kind: Parallel, x: {goto: {when: v, task: a}}, y: {z: {}, q: {goto: {when: v, task: z}}}}",
        "a: {b: {c: {goto: {when: v, task: a}}}}",
        "a: {goto: {when: v, task: w}}",
        "a: {goto: {when: v, task: y}}\n  b: {x: {}, y: {}}",
        "a: {}\n  catch: {x: {goto: {when: v, task: a}}, y: {goto: {when: v, task: x}}}",
        "a: {}\n  finally: {x: {}, y: {goto: {when: v, task: x}}}",
        "a: {matrix: {v: [1]}, x: {}, y: {goto: {when: v, task: x}}}\n  b: {goto: {when: v, task: a}}",
        "a: {emit: {forEach: x, task: {w: {}}}}\n  b: {await: {on: a, mode: first}}",
        "a: {action: 'x:y', await: {timeout: 1m}}\n  b: {await: {signal: go, timeout: 1m}}",
        "a: {approval: {required: true, approvers: [x, y], quorum: 2}}",
    ],
)
def test_what_is_right(tasks: str) -> None:
    assert warnings_of(f"pipeline:\n  {tasks}") == []


@pytest.mark.parametrize(
    ("tasks", "parts"),
    [
        ("a: {goto: {task: c}}\n  b: {}\n  c: {}", ["w/b: unreachable: `a` always goes elsewhere"]),
        ("a: {goto: {task: a}}", ["loop without a `when`", "w/a → w/a"]),
        ("a: {}\n  b: {}\n  c: {goto: {task: a}}", ["w/a → w/b → w/c → w/a"]),
        ("a: {x: {}, y: {goto: {when: 'true', task: a}}}", ["loop without a `when`"]),
        ("a: {concurrency: 2, b: {}}", ["no effect on a sequence"]),
        ("a: {}\ndependencies: {d: {}}", ["w/d: no task depends on this one"]),
        ("a: {catch: {}}", ["no other children"]),
        ("a: {when: 'slug(x)'}", ["unknown function 'slug'"]),
        ("a: {action: 'n:n', input: '${ordrs}'}\ninputs: {orders: {}}", ["reads `ordrs`", "did you mean `orders`"]),
    ],
)
def test_warnings(tasks: str, parts: list[str]) -> None:
    message = "\n".join(warnings_of(f"pipeline:\n  {tasks}"))
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    "tasks",
    [
        "a: {goto: [{when: x, task: c}]}\n  b: {}\n  c: {}",
        "a: {when: x, goto: {task: c}}\n  b: {}\n  c: {}",
        "a: {goto: {task: c}}\n  b: {}\n  c: {goto: {when: x, task: b}}",
        "a: {}\n  b: {goto: {when: x, task: c}}\n  c0: {goto: {task: a}}\n  c: {}",
        "a: {goto: [{when: x, task: b}, {task: a}]}\n  b: {}",
        (
            "a: {action: 'n:n', input: '${orders} ${b.c} ${fetch_data} ${config.x} ${acc}', post: {acc: '${any}'}}\n  b: {}\n"
            "  fetch-data: {}\ninputs: {orders: {}}"
        ),
    ],
)
def test_no_warnings(tasks: str) -> None:
    assert warnings_of(f"pipeline:\n  {tasks}") == []


class Registry:
    """Two actions: one whose keys are known, one that takes anything."""

    class Printer:
        input_keys = frozenset({"message", "end"})

    class Anything:
        input_keys = None

    def signature(self, service: str, name: str) -> Any:
        if service != "printer":
            raise ServiceNotFoundError(service, candidates=["printer"])
        if name == "any":
            return self.Anything
        if name != "print":
            raise MethodNotFoundError(name, candidates=["print"])
        return self.Printer


def test_actions_that_are_not_registered() -> None:
    found = problems_of(
        """
        pipeline:
          a: {action: "print:print"}
          b: {action: "printer:prnt"}
          c: {action: "printer:print", with: {mesage: 1, "${x}": 2}}
          d: {action: "printer:any", input: {whatever: 1}}
        """,
        actions=Registry(),
    )
    assert [(each.task, each.position.line, each.position.column) for each in found if each.position] == [
        ("w/a", 3, 15),
        ("w/b", 4, 15),
        ("w/c", 5, 47),
    ]
    assert "did you mean printer?" in found[0].message
    assert "did you mean print?" in found[1].message
    assert found[2].hint == "did you mean `message`?"
    assert validate(read("pipeline: {a: {action: 'x:y'}}")) == []


def test_types_that_are_not_registered() -> None:
    text = "import: {m: shop}\ninputs: {o: {type: '[]m.Order'}}\npipeline: {a: {init: {'x[m.Item](state/y)': 1}}}"
    registry = TypeRegistry()
    assert "shop.Order" not in registry
    assert [problem.task for problem in problems_of(text, types=registry)] == ["w", "w/a"]
    registry.register("shop.Order", dict)
    registry.register("shop.Item", dict)
    assert read(text, types=registry).inputs[0].type == "[]m.Order"


def test_defaults_fit_their_types() -> None:
    assert "the default does not fit: inputs.n: expected int" in refused(
        "inputs: {n: {type: int, default: 2.5}}\npipeline: {}"
    )
    assert read("inputs: {n: {type: '[]int', default: [1]}}\npipeline: {}")


def test_functions_of_an_application() -> None:
    text = "pipeline: {a: {when: 'slug(x)'}}"
    language = Language(functions={"slug": str.lower})
    assert validate(parse(text), language=language) == []
    with pytest.raises(DefinitionError, match="slug"):
        parse(text, language=Language())


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"name": "a/b"}, "contains /"),
        ({"name": ""}, "blank"),
        ({"name": "a", "id": "b"}, "differs"),
        ({"name": "a", "timeout": -1}, "out of range"),
        ({"name": "a", "timeout": float("nan")}, "out of range"),
        ({"name": "a", "concurrency": 0}, "from 1"),
        ({"name": "a", "action": Action(service="n", method="n", input={1: 2})}, "input"),
        ({"name": "a", "action": Action(service="n", method="n", input=1), "input": 2}, "stands in `action`"),
        ({"name": "a", "action": Action(service="n", method="n"), "retry": Retry(jitter=2)}, "0 to 1"),
        ({"name": "a", "action": Action(service="n", method="n"), "retry": Retry(max_retries=-1)}, "from 0"),
        ({"name": "a", "init": (Parameter(name="x"), Parameter(name="x"))}, "set twice"),
        ({"name": "a", "init": (Parameter(name="x", append=True),)}, "only `post`"),
        ({"name": "a", "init": (Parameter(name="x", kind="env", location="y"),)}, "cannot be written"),
        ({"name": "a", "init": (Parameter(name="a[b", value=1),)}, "no type"),
        ({"name": "a", "init": (Parameter(name="x", value=float("inf")),)}, "inf"),
        ({"name": "a", "goto": (Transition(task="b"),)}, "no task `b`"),
    ],
)
def test_built_workflows_are_checked_as_documents_are(fields: dict[str, Any], part: str) -> None:
    found = validate(Workflow(name="w", pipeline=(Task(**fields),)))
    assert part in "\n".join(str(problem) for problem in found)


def test_nesting_without_end() -> None:
    task = Task(name="leaf")
    for number in range(3000):
        task = Task(name=f"t{number}", tasks=(task,))
    found = validate(Workflow(name="w", pipeline=(task,)))
    assert "nested deeper than 100 levels" in str(found[0])


def test_many_tasks_take_time_in_proportion() -> None:
    tasks = tuple(
        Task(name=f"t{n}", depends_on=(f"t{n - 1}",) if n else (), goto=(Transition(task="t0", when="x"),))
        for n in range(3000)
    )
    assert validate(Workflow(name="w", pipeline=tasks)) == []
