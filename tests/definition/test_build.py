"""Workflows written in Python."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fluxor_actors.definition import Backoff, Task, new_workflow, parse, to_yaml
from fluxor_actors.errors import DefinitionError
from tests.definition.helpers import read


def test_a_builder_makes_what_a_document_says() -> None:
    built = (
        new_workflow("agent", description="plans and acts")
        .input("goal", "string", required=True)
        .init("count", 0)
        .init("home[string](env/HOME)")
        .with_config({"model": "m"}, depth=2)
        .labels(team="a")
        .policy("ask", allow=["llm:*"])
        .retry(max_retries=2, delay="1s")
        .timeout("1h")
        .post("answer", "${act}")
        .task("plan").action("llm", "plan", {"goal": "${goal}"}).post("plans[]", "${plan}").auto_pause()
        .task("act").depends_on("plan").kind("Parallel", 2)
        .sub_task("print").action("printer:print").input({"message": "${plan}"}).end()
        .sub_task("wait").async_().when(True).await_(signal="go", timeout=60).end()
        .task("again").goto("plan", "count < 3").schedule_in(timedelta(minutes=5))
        .task("fan").emit("${plans}", Task(name="work"), as_="each").await_(mode="first")
        .task("all").template("${plans}", Task(name="one"), name="plan", n="$i").concurrency(3)
        .task("build").action("ci", "build").matrix({"os": ["a", "b"]}, exclude=[{"os": "b"}], fail_fast=False)
        .retry(type="exponential").timeout(5).heartbeat_timeout("2s").on_crash("ask").namespace("built").description("d")
        .approval(approvers=["ann"]).init("x", 1).depends_on("base")
        .dependency("base").action("nop", "nop")
        .build()
    )  # fmt: skip
    assert built == read(
        """
        name: agent
        description: plans and acts
        inputs: {goal: {type: string, required: true}}
        init: {count: 0, "home[string](env/HOME)": null}
        config: {model: m, depth: 2}
        labels: {team: a}
        policy: {mode: ask, allow: ["llm:*"]}
        retry: {maxRetries: 2, delay: 1}
        timeout: 3600
        post: {answer: "${act}"}
        pipeline:
          plan: {action: llm:plan, input: {goal: "${goal}"}, post: {"plans[]": "${plan}"}, autoPause: true}
          act:
            dependsOn: plan
            kind: Parallel
            concurrency: 2
            tasks:
              print: {action: printer:print, input: {message: "${plan}"}}
              wait: {async: true, when: true, await: {signal: go, timeout: 1m}}
          again: {goto: {task: plan, when: count < 3}, scheduleIn: 5m}
          fan: {emit: {forEach: "${plans}", task: {work: {}}, as: each}, await: {mode: first}}
          all:
            template: {selector: [{name: plan, value: "${plans}"}, {name: n, value: $i}], task: {one: {}}}
            concurrency: 3
          build:
            action: ci:build
            matrix: {os: [a, b], exclude: [{os: b}], failFast: false}
            retry: {type: exponential}
            timeout: 5
            heartbeatTimeout: 2s
            onCrash: ask
            namespace: built
            description: d
            approval: {approvers: ann}
            init: {x: 1}
            dependsOn: base
        dependencies: {base: {action: nop:nop}}
        """
    )
    assert parse(to_yaml(built)) == built
    retry = built.pipeline[5].retry
    assert retry is not None
    assert retry.type is Backoff.EXPONENTIAL


def test_building_checks() -> None:
    with pytest.raises(DefinitionError) as caught:
        new_workflow("w").task("a").depends_on("b").goto("c").build()
    assert len(caught.value.problems) == 2
    with pytest.raises(DefinitionError, match="no type"):
        new_workflow("w").init("a[", 1)
    with pytest.raises(DefinitionError, match="one of auto"):
        new_workflow("w").policy("denny").task("a").build()


def test_builders_can_be_continued() -> None:
    builder = new_workflow("w").task("a")
    first = builder.build()
    second = builder.task("b").build()
    assert [task.name for task in first.pipeline] == ["a"]
    assert [task.name for task in second.pipeline] == ["a", "b"]
