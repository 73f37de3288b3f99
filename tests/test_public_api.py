"""The public interface is what was promised, and changes on purpose only.

`PROMISED` is the interface that other programs call, as it was settled: names, the order of arguments, which may be left out. Further
arguments may join them. The golden listing beside this file has all that is public, to the letter.
"""

from __future__ import annotations

import difflib
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import attrs
import pytest

import fluxor_actors as fluxor
from fluxor_actors.storage import Store
from fluxor_actors.storage.dao import Dao, FilesystemDao, MemoryDao, SqlDao
from tests.public_api import MODULES, PAGE, listing

# A line each: a path from the package, and how it is called. Without brackets: it is there.
PROMISED = """
Fluxor(*, config=None, services=(), types=(), functions=None, secrets=None, state_listeners=(), when_listeners=(), executor_listener=None)
Fluxor(*, tracing=None, tracer_provider=None, event_service=None, approval_service=None, meta_service=None, meta_fs_options=None, queue=None)
Fluxor(*, process_dao=None, execution_dao=None, clock=None, ids=None, dispatcher=None, service_proxy=None, **settings)
Fluxor.from_config(config=None, **options)
Fluxor.context(*, policy=None, progress=None, values=None)
Fluxor.register_services(*services)
Fluxor.register_types(*types)
Fluxor.start()
Fluxor.shutdown(timeout=10)
Config.default()
Config.from_mapping(mapping)
Config.from_yaml(path)
Config.from_environment()
ProcessorConfig(*, workers=8)
Runtime.start()
Runtime.shutdown(timeout=10)
Runtime.load_workflow(location)
Runtime.decode_yaml_workflow(text)
Runtime.refresh_workflow(location)
Runtime.upsert_definition(location, data=None)
Runtime.start_process(workflow, initial_state=None, *tasks, policy=None, process_id=None, values=None, requested_by=None, labels=None)
Runtime.process(process_id)
Runtime.processes(*, state=None, workflow=None, parent_id=None, limit=None, after=None)
Runtime.execution(id)
Runtime.executions(process_id)
Runtime.process_from_context()
Runtime.run_task_once(workflow, task_id, input=None, timeout=300)
Runtime.schedule_execution(execution)
Runtime.pause_process(process_id)
Runtime.resume_process(process_id)
Runtime.cancel_process(process_id, reason="")
Runtime.resume_failed_process(process_id)
Runtime.signal_process(process_id, name, value)
Runtime.steer_process(process_id, values)
Runtime.explain(process_id)
Runtime.emit_executions(parent, children)
Runtime.await_group(id, timeout=None)
Runtime.wait_for_unblock(execution_id, timeout=None)
Runtime.resume_execution(id, value)
ProcessHandle.wait(timeout=None)
ProcessHandle.process()
ProcessHandle.progress()
ProcessHandle.pause()
ProcessHandle.resume()
ProcessHandle.cancel(reason="")
ProcessHandle.signal(name, value)
ProcessHandle.__await__()
ExecutionHandle.wait(timeout=None)
ProcessOutput.raise_for_error()
Tracing.to_file(name, version, path=None)
Tracing.with_exporter(name, version, exporter)
Policy(mode="auto", allow=(), block=())
Request(*, id, process_id="", execution_id="", action, args=None, digest="", created_at, expires_at=None, meta=None)
Decision(*, id, approved, reason="", decided_by=None, decided_at)
ApprovalService.request_approval()
ApprovalService.list_pending(process_id=None, action=None)
ApprovalService.decide(id, approved, reason="", decided_by=None, args=None)
ApprovalService.wait_for_decision(id, timeout=None)
ApprovalService.auto_decider(fn)
ApprovalService.auto_approve()
ApprovalService.auto_reject(reason="")
ApprovalService.auto_expire(reason="")
action(name)
method(function=None)
current_context()
process_from_context()
ActionContext.process
ActionContext.execution
ActionContext.task
ActionContext.session
ActionContext.attempt
ActionContext.idempotency_key
ActionContext.deadline
ActionContext.cancelled
ActionContext.logger
ActionContext.tracer
ActionContext.progress(fraction, message="")
ActionContext.heartbeat()
ActionContext.emit_for_each(items, as_, task)
ActionContext.emit_children(executions)
ActionContext.emit_one(execution)
ActionContext.await_group(id, timeout=None)
ActionContext.await_resume(timeout=None)
ActionContext.call(service, method, input=None, timeout=None)
definition.parse(text, source="")
definition.validate(workflow)
definition.to_yaml(workflow)
definition.to_json(workflow)
definition.json_schema()
definition.new_workflow(name)
definition.WorkflowBuilder.task(name)
definition.WorkflowBuilder.with_config(config=None)
definition.TaskBuilder.action(service, method="", input=None)
definition.TaskBuilder.sub_task(name)
definition.TaskBuilder.goto(task, when=None)
definition.TaskBuilder.init(name, value=None)
definition.TaskBuilder.post(name, value)
definition.TaskBuilder.depends_on(*names)
definition.TaskBuilder.async_()
definition.TaskBuilder.auto_pause()
definition.Problem
expression.evaluate(source, variables)
expression.expand(value, variables)
expression.compile_expression(source)
expression.ExpressionError
messaging.MemoryQueue(*, max_retries=3, retry_delay=1)
messaging.FilesystemQueue(path, *, max_retries=3, retry_delay=1)
messaging.KombuQueue(url, name, *, max_retries=3, retry_delay=1)
messaging.Queue.publish(item)
messaging.Queue.consume(timeout=None)
messaging.Queue.dead_letters()
messaging.Queue.replay(message)
messaging.Message.ack()
messaging.Message.nack(error="")
messaging.Trigger(queue, workflow, map=None)
messaging.Publisher(queue)
testing.certify(workflow)
testing.simulate(workflow)
testing.ManualClock(start=0)
testing.ManualClock.advance(seconds)
""".strip().splitlines()

ATTRIBUTES = {
    "Process": "id workflow version definition_hash state parent_id root_id labels created_at updated_at finished_at session errors "
    "cancel_reason requested_by",
    "Execution": "id process_id task_id name iteration state attempt input output error approved scheduled_at started_at finished_at",
    "ProcessOutput": "process_id state output errors time_taken timed_out",
    "Progress": "total completed skipped failed cancelled running pending",
    "Event": "context created_at metadata data",
    "EventContext": "process_id task_id event_type service method time_taken_ms",
    "Config": "store lease history retain durability cancel_grace max_transitions action_limits strict_expressions max_pending on_busy "
    "policy approval_skip_prefixes meta_base_url root_task_node_name processor",
    "definition.Task": "name id namespace type_name description action init when depends_on tasks kind async_ concurrency template emit "
    "await_ matrix post goto retry timeout schedule_in auto_pause approval on_crash",
    "definition.Action": "service method input",
    "definition.Transition": "task when",
    "definition.Retry": "type max_retries delay multiplier max_delay jitter retry_on",
    "definition.Template": "selector task",
    "definition.Emit": "for_each as_ task",
    "definition.Await": "mode timeout merge on signal",
    "definition.Parameter": "name value append type kind location",
    "definition.Workflow": "name description version type_name import_ inputs init pipeline kind concurrency dependencies post config policy "
    "labels retry timeout auto_pause",
}


def found(path: str) -> Any:
    value: Any = fluxor
    for name in path.split("."):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize("promise", PROMISED)
def test_what_was_promised_is_there(promise: str) -> None:
    path, bracket, _ = promise.partition("(")
    value = found(path)
    if not bracket:
        return
    promised = inspect.signature(eval(f"lambda {promise.partition('(')[2][:-1]}: 0"))
    actual = inspect.signature(value)
    given = [each for each in actual.parameters.values() if each.name != "self"]
    assert list(_missing(promised, {each.name: each for each in given})) == []
    positional = [name for name, each in promised.parameters.items() if each.kind is each.POSITIONAL_OR_KEYWORD]
    assert [each.name for each in given][: len(positional)] == positional
    # What joined since then may be left out.
    further = [each for each in given if each.name not in promised.parameters and each.kind not in (2, 4)]
    assert [each.name for each in further if each.default is each.empty] == []


def _missing(promised: inspect.Signature, actual: dict[str, inspect.Parameter]) -> Iterator[str]:
    for name, parameter in promised.parameters.items():
        if name not in actual:
            yield f"no {name}"
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            if actual[name].kind is not parameter.kind:
                yield f"{name} is no longer for any number"
        elif parameter.default is not parameter.empty and actual[name].default is parameter.empty:
            yield f"{name} can no longer be left out"


@pytest.mark.parametrize("path", ATTRIBUTES)
def test_values_have_their_attributes_and_are_frozen(path: str) -> None:
    cls = found(path)
    names = {field.name for field in attrs.fields(cls)}
    assert set(ATTRIBUTES[path].split()) - names == set()
    assert cls.__setattr__ is not object.__setattr__


@pytest.mark.parametrize("options", [{"name": "a"}, {"name": "a", "when": "x"}])
def test_fields_of_tasks_are_by_keyword_and_optional_but_the_name(options: dict[str, Any]) -> None:
    assert fluxor.definition.Task(**options).name == "a"
    with pytest.raises(TypeError):
        fluxor.definition.Task("a")  # type: ignore[call-arg]


def test_an_engine_has_its_services() -> None:
    with fluxor.Fluxor() as engine:
        found = [
            engine.runtime.start_process,
            engine.actions.register, engine.actions.lookup, engine.actions.services,
            engine.approvals.decide, engine.approvals.queue.consume,
            engine.events.publisher, engine.events.subscribe, engine.events.set_listener, engine.events.set_listener_of,
            engine.types.register,
        ]  # fmt: skip
        assert all(callable(each) for each in found)


@pytest.mark.parametrize("dao", [Dao, MemoryDao, FilesystemDao, SqlDao])
def test_copies_go_to_objects_with_four_methods(dao: type) -> None:
    assert all(hasattr(dao, name) for name in ("save", "load", "delete", "list"))


def test_a_store_can_be_written_by_others() -> None:
    assert inspect.isabstract(Store) or getattr(Store, "_is_protocol", False)


def test_states_are_texts() -> None:
    assert issubclass(fluxor.ProcessState, StrEnum)
    assert [str(state) for state in fluxor.ProcessState] == [
        "pending", "running", "pauseRequested", "paused", "resumeRequested", "cancelRequested", "cancelled", "completed", "failed",
    ]  # fmt: skip
    assert {str(state) for state in fluxor.ExecutionState} == {
        "pending", "scheduled", "running", "waitForDependencies", "waitForSubTasks", "waitAsync", "waitForApproval", "paused", "completed",
        "failed", "skipped", "cancelled",
    }  # fmt: skip
    assert json.dumps({"state": fluxor.ProcessState.COMPLETED}) == '{"state": "completed"}'


def test_all_errors_are_in_one_tree_and_reachable_from_the_root() -> None:
    from fluxor_actors import errors

    tree = (errors.__doc__ or "").partition("```text")[2].partition("```")[0]
    for name in errors.__all__:
        error = getattr(errors, name)
        assert issubclass(error, errors.FluxorError)
        assert getattr(fluxor, name) is error
        assert error.__module__ == "fluxor_actors.errors"
        assert f" {name}" in tree or name == "FluxorError"


@pytest.mark.parametrize("name", MODULES)
def test_names_are_listed_and_exist(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"from {name} import *; import {name} as m; print(*sorted(m.__all__))"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    names = done.stdout.split()
    assert len(names) == len(set(names)) > 3


def test_nothing_public_changes_by_the_way() -> None:
    wanted, actual = PAGE.read_text(encoding="utf-8"), listing()
    changes = "\n".join(
        difflib.unified_diff(wanted.splitlines(), actual.splitlines(), "as written down", "as it is", "", "", 0, "")
    )
    assert not changes, f"meant? then: python -m tests.public_api > tests/public_api.txt\n{changes}"
