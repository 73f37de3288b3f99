"""``fluxor run``: what it prints, and its exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import invoke, program, write

MEMORY = ("--store", "memory://")
HELLO = """
name: hello
inputs: {who: {default: world}, times: {default: 1}}
pipeline:
  greet: {action: "printer:print", input: {message: "Hello, ${who}!"}}
post: {twice: "${times * 2}"}
"""


def result_of(stdout: str) -> dict[str, Any]:
    found = json.loads(stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def masked(text: str) -> str:
    return re.sub(r"\b\d+(?:\.\d+)?(?:ms|s)\b", "<time>", text)


def test_standard_output_has_what_actions_print_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, hello=HELLO)
    done = invoke("run", tmp_path / "hello.yaml")
    assert (done.exit_code, done.stdout) == (0, "Hello, world!\n")
    assert masked(done.stderr) == "completed  hello/greet  <time>\ncompleted  hello  <time>\n"


def test_the_result_is_the_last_line_as_json(tmp_path: Path) -> None:
    write(tmp_path, hello=HELLO)
    done = invoke("run", tmp_path / "hello.yaml", "-i", "who=Zoë", "-i", "times=4", "--id", "run-1", "--json")
    result = result_of(done.stdout)
    assert result.pop("timeTaken") >= 0
    assert result == {
        "id": "run-1",
        "workflow": "hello",
        "state": "completed",
        "timedOut": False,
        "output": {"who": "Zoë", "times": 4, "greet": None, "twice": 8},
        "errors": {},
    }
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "Hello, Zoë!"


def test_json_is_right_where_the_stream_has_few_letters(tmp_path: Path) -> None:
    write(tmp_path, hello=HELLO)
    done = program(
        "run", tmp_path / "hello.yaml", "-i", "who=Zoë😀", "--json", PYTHONUTF8="0", PYTHONIOENCODING="ascii"
    )
    assert result_of(done.stdout)["output"]["who"] == "Zoë😀"


def test_workflow_and_inputs_come_from_standard_input(tmp_path: Path) -> None:
    write(tmp_path, hello=HELLO)
    done = invoke("run", tmp_path / "hello.yaml", "-i", "@-", "-i", "who=me", stdin=b"{who: you, times: 3}")
    assert done.stdout == "Hello, me!\n"
    assert invoke("run", "-", stdin=HELLO.encode()).stdout == "Hello, world!\n"


FAILING = """
name: order
pipeline:
  pay: {action: "demo:fail", input: {message: "the card was declined\\nby the bank"}}
  ship: {action: "nop:nop"}
"""


def test_a_failure_says_what_failed_and_why(tmp_path: Path) -> None:
    write(tmp_path, order=FAILING)
    done = invoke("run", tmp_path / "order.yaml", "-a", tmp_path / "acts.py")
    assert (done.exit_code, done.stdout) == (1, "")
    assert masked(done.stderr).splitlines() == [
        "failed     order/pay  <time>  the card was declined",
        "failed     order  <time>",
        "  order/pay: the card was declined",
        "    by the bank",
    ]


def test_a_failure_as_json(tmp_path: Path) -> None:
    write(tmp_path, order=FAILING)
    done = invoke("run", tmp_path / "order.yaml", "-a", tmp_path / "acts.py", "--json")
    result = result_of(done.stdout)
    assert (done.exit_code, result["state"]) == (1, "failed")
    assert result["errors"] == {"order/pay": "the card was declined\nby the bank"}


def test_retries_skips_and_waits_have_a_line(tmp_path: Path) -> None:
    write(
        tmp_path,
        w="""
name: w
pipeline:
  kind: Graph
  tasks:
    again: {action: "demo:flaky", retry: {maxRetries: 1, delay: 0}}
    not: {action: "nop:nop", when: "${false}", dependsOn: again}
    caught:
      dependsOn: not
      tasks: {boom: {action: "demo:fail", input: {message: x}}, catch: {action: "nop:nop"}}
""",
    )
    done = invoke("run", tmp_path / "w.yaml", "-a", tmp_path / "acts.py")
    assert done.exit_code == 0
    lines = masked(done.stderr).splitlines()
    assert "retrying   w/again  attempt 1 failed: no answer" in lines
    assert "waiting    w/not  for what it depends on" in lines
    assert "skipped    w/not" in lines
    assert "failed     w/caught/boom  <time>  x" in lines
    assert "completed  w/caught  <time>" in lines


def test_a_large_fan_out_has_a_line_for_each_tenth(tmp_path: Path) -> None:
    write(
        tmp_path,
        fan="""
name: fan
inputs: {names: {required: true}}
pipeline:
  all: {emit: {forEach: "${names}", as: n, task: {one: {inner: {action: "nop:nop"}}}}, await: true}
  few: {emit: {forEach: "${names[0:2]}", as: n, task: {one: {action: "nop:nop"}}}, await: true}
""".replace("${names[0:2]}", "${few}").replace("inputs: {", "inputs: {few: {required: true}, "),
    )
    names = json.dumps(list(range(200)))
    done = invoke("run", tmp_path / "fan.yaml", "-i", f"names={names}", "-i", "few=[1, 2]")
    lines = masked(done.stderr).splitlines()
    assert [line for line in lines if "fan/all" in line] == [
        *(f"progress   fan/all  {20 * tenth}/200" for tenth in range(1, 11)),
        "completed  fan/all  <time>",
    ]
    assert sum("fan/few/one" in line for line in lines) == 2


def test_only_the_tasks_that_are_asked_for_run(tmp_path: Path) -> None:
    write(
        tmp_path,
        w="""
name: w
pipeline:
  a: {action: "printer:print", input: {message: a}}
  b: {action: "printer:print", input: {message: b}, dependsOn: a}
  c: {action: "printer:print", input: {message: c}}
  d: {action: "printer:print", input: {message: d}}
""",
    )
    done = invoke("run", tmp_path / "w.yaml", "--task", "b", "--task", "w/d")
    assert (done.exit_code, done.stdout.split()) == (0, ["a", "b", "d"])


def test_the_time_can_be_up(tmp_path: Path) -> None:
    write(tmp_path, w="name: w\npipeline: {hold: {action: 'demo:hold'}}")
    done = invoke("run", tmp_path / "w.yaml", "-a", tmp_path / "acts.py", "--timeout", "50ms", "--json", *MEMORY)
    result = result_of(done.stdout)
    assert (done.exit_code, result["state"], result["timedOut"]) == (3, "running", True)
    assert done.stderr.startswith("not finished after 50ms: cancelling")


def test_what_pauses_for_good_ends(tmp_path: Path) -> None:
    write(tmp_path, w="name: w\nautoPause: true\npipeline: {a: {action: 'nop:nop'}}")
    done = invoke("run", tmp_path / "w.yaml", *MEMORY)
    assert done.exit_code == 3
    assert "nobody can resume" in done.stderr
    assert masked(done.stderr).splitlines()[-1] == "unfinished  w  <time>"


def test_a_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    document = 'name: w\npipeline: {"a\\eb": {action: "demo:fail", input: {message: "x\\e]0;y\\a"}}}'
    write(tmp_path, w=document)
    done = invoke("run", tmp_path / "w.yaml", "-a", tmp_path / "acts.py")
    assert "\x1b" not in done.stderr
    assert "\\x1b]0;y" in done.stderr


def test_a_child_workflow_is_shown(tmp_path: Path) -> None:
    write(
        tmp_path,
        parent="name: parent\npipeline: {go: {action: 'workflow:run', input: {source: \"${text}\"}}}",
    )
    child = "{name: child, pipeline: {a: {action: 'nop:nop'}}}"
    done = invoke("run", tmp_path / "parent.yaml", "-i", f"text={json.dumps(child)}")
    assert done.exit_code == 0, done.stderr
    assert "completed  child/a  <time>" in masked(done.stderr).splitlines()


def test_a_run_that_loses_its_reader_goes_on(tmp_path: Path) -> None:
    write(
        tmp_path,
        w="""
name: w
pipeline:
  many:
    emit: {forEach: "${lines}", as: n, task: {one: {action: "printer:print", input: {message: "line ${n}"}}}}
    await: true
  last: {action: "demo:fail", input: {message: reached}}
""",
    )
    (tmp_path / "inputs.json").write_text(json.dumps({"lines": list(range(2_000))}))
    done = program(
        *("run", tmp_path / "w.yaml", "-a", tmp_path / "acts.py", "-i", f"@{tmp_path / 'inputs.json'}"),
        stdout_closed=True,
    )
    assert done.returncode == 1
    assert "w/last: reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [("schema",), ("actions", "--json"), ("run", "hello.yaml", "--json"), ("--help",)]
)
def test_nobody_reads_the_output(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    write(tmp_path, hello=HELLO)
    done = program(*arguments, cwd=tmp_path, stdout_closed=True)
    assert done.returncode == 0
    assert "Error" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [("schema",), ("run", "hello.yaml", "--json")])
def test_an_output_that_cannot_be_written_is_an_error(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    write(tmp_path, hello=HELLO)
    done = program(*arguments, cwd=tmp_path, stdout_file="/dev/full")
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_id_that_belongs_to_another_workflow(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(f"{{name: {name}, pipeline: {{a: {{action: 'nop:nop'}}}}}}")
    store = ("--store", f"sqlite:///{tmp_path}/s.db")
    assert "job is a process" not in invoke("run", str(tmp_path / "one.yaml"), "--id", "job", *store).stderr
    again = invoke("run", str(tmp_path / "two.yaml"), "--id", "job", *store)
    assert "job is a process of one, not of two: give another --id to run that" in again.stderr
