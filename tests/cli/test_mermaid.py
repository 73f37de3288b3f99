"""Workflows as Mermaid charts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxor_actors.cli.mermaid import to_mermaid
from fluxor_actors.cli.mermaid_text import escaped, shortened
from fluxor_actors.definition import Task, Workflow, parse
from tests.cli.support import invoke
from tests.markdown import ROOT

GOLDEN = Path(__file__).with_name("golden")
EXAMPLES = sorted((ROOT / "examples").glob("*/*.yaml"))

EVERYTHING = """
name: everything
pipeline:
  plan: {action: "llm:plan", when: "${ready && n < 3}"}
  build:
    kind: Graph
    concurrency: 2
    tasks:
      lint: {action: "ci:lint"}
      compile: {action: "ci:compile", dependsOn: tools}
      test: {action: "ci:test", dependsOn: [compile, lint]}
  background: {action: "ci:notify", async: true}
  targets:
    matrix: {os: [linux, mac], python: ["3.12"]}
    action: ci:pack
  each:
    template:
      selector: [{name: order, value: "${orders}"}]
      task: {handle: {pay: {action: "shop:pay"}, catch: {action: "shop:refund"}}}
  spread: {emit: {forEach: "${files}", as: file, task: {one: {action: "io:copy"}}}}
  join: {await: {on: spread}}
  confirm: {await: {signal: confirmed}}
  later: {scheduleIn: 5m, action: "workflow:run", input: {location: child.yaml}}
  loop:
    step: {action: "nop:nop", goto: [{when: "${again}", task: step}, {when: "${over}", task: plan}]}
    more: {action: "nop:nop", goto: {when: "${outer}", task: loop}}
    finally: {action: "nop:nop"}
    catch: {action: "nop:nop"}
dependencies:
  tools: {action: "ci:install"}
"""


def test_everything_is_drawn() -> None:
    assert to_mermaid(parse(EVERYTHING)) == (GOLDEN / "everything.mmd").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_drawn(document: Path) -> None:
    done = invoke("graph", document)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (GOLDEN / f"{document.stem}.mmd").read_text(encoding="utf-8")


def test_the_same_workflow_gives_the_same_chart() -> None:
    assert to_mermaid(parse(EVERYTHING)) == to_mermaid(parse(EVERYTHING))


def test_standard_input_is_drawn() -> None:
    done = invoke("graph", "-", stdin=b"name: x\npipeline: {a: {}, b: {}}")
    assert done.stdout.splitlines()[-1] == "  n1 --> n2"


LABEL = re.compile(r'"[^"\n]*"')
LINE = re.compile(
    r"  +(?:subgraph \w+\[\"\"\]|end|n\d+(?:\[\"\"\]|\[\[\"\"\]\]|\(\[\"\"\]\))|n\d+ (?:-->|-\.->|==>)(?:\|\"\"\|)? n\d+)"
)


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=4, unique=True), st.text(max_size=30))
def test_no_name_breaks_the_chart(names: list[str], condition: str) -> None:
    tasks = [Task(name=name, when=condition, tasks=(Task(name="end"), Task(name=name))) for name in names]
    chart = to_mermaid(Workflow(name="x", pipeline=tuple(tasks)))
    for line in chart.splitlines()[4:]:
        assert LINE.fullmatch(LABEL.sub('""', line)), line
    for label in LABEL.findall(chart):
        assert not re.search(r"[`%*\\&<>]|\$\$", label.replace("<br/>", ""))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('"', "#quot;"),
        ("#35;", "#35;35;"),
        ("%%{init}%%", "#37;#37;{init}#37;#37;"),
        ("$$x$$ $", "#36;#36;x#36;#36; $"),
        ("- item", "#45; item"),
        ("12) x", "12#41; x"),
        ("a_b (c) [d] | {e}", "a_b (c) [d] | {e}"),
    ],
)
def test_what_mermaid_would_take_for_something_else_is_escaped(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_long_texts_are_shortened_to_one_line() -> None:
    assert shortened("a\n  b") == "a b"
    assert shortened("x" * 100) == "x" * 79 + "…"


def test_a_deep_workflow_is_drawn() -> None:
    task = Task(name="t0")
    for number in range(1, 300):
        task = Task(name=f"t{number}", tasks=(task,))
    assert to_mermaid(Workflow(name="x", pipeline=(task,))).count("subgraph") == 299
