"""The pages about the project are about this project: what they name exists, and everything is found from the menu."""

from __future__ import annotations

import importlib
import inspect
import re
import tomllib
from typing import Any

import attrs
import pytest

import fluxor_actors as fluxor
from tests.markdown import ROOT
from tests.public_api import MODULES

DOCS = ROOT / "docs"
NAV = set(re.findall(r": ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
# Every symbol of the Go package's documentation.
GO = [
    "ErrTaskNotFound",
    "ErrMethodNotFound",
    "Config",
    "DefaultConfig",
    "Option",
    "WithApprovalService",
    "WithEventService",
    "WithExecutorOptions",
    "WithExtensionServices",
    "WithExtensionTypes",
    "WithMetaBaseURL",
    "WithMetaFsOptions",
    "WithMetaService",
    "WithProcessDAO",
    "WithProcessorWorkers",
    "WithQueue",
    "WithRootTaskNodeName",
    "WithStateListeners",
    "WithTaskExecutionDAO",
    "WithTracing",
    "WithTracingExporter",
    "WithWhenListeners",
    "ProcessorConfig",
    "Runtime",
    "Runtime.AwaitGroup",
    "Runtime.DecodeYAMLWorkflow",
    "Runtime.EmitExecutions",
    "Runtime.Execution",
    "Runtime.LoadWorkflow",
    "Runtime.Process",
    "Runtime.ProcessFromContext",
    "Runtime.Processes",
    "Runtime.RefreshWorkflow",
    "Runtime.RunTaskOnce",
    "Runtime.ScheduleExecution",
    "Runtime.Shutdown",
    "Runtime.Start",
    "Runtime.StartProcess",
    "Runtime.UpsertDefinition",
    "Runtime.WaitForUnblock",
    "Service",
    "New",
    "NewFromConfig",
    "Service.Actions",
    "Service.ApprovalService",
    "Service.EventService",
    "Service.NewContext",
    "Service.RegisterExtensionServices",
    "Service.RegisterExtensionType",
    "Service.RegisterExtensionTypes",
    "Service.Runtime",
    "extension",
    "model",
    "policy",
    "progress",
    "runtime/evaluator",
    "runtime/execution",
    "runtime/expander",
    "runtime/orchestrator",
    "service/allocator",
    "service/approval",
    "service/event",
    "service/executor",
    "service/messaging",
    "service/processor",
    "tracing",
    "internal/clock",
    "internal/idgen",
    "examples/workflow",
]


def read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def test_every_page_is_in_the_menu() -> None:
    assert {path.name for path in DOCS.glob("*.md")} == NAV


@pytest.mark.parametrize("page", ["architecture.md", "decisions.md", "contributing.md", "compatibility.md"])
def test_files_that_a_page_names_exist(page: str) -> None:
    named = re.findall(r"`((?:fluxor_actors|tests|docs|examples)/[\w/.-]+|CHANGELOG\.md|\.ci/run)`", read(page))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_symbol_of_the_go_package_has_its_row() -> None:
    rows = re.findall(r"^\| (`.+?`) \|", read("from-go.md"), re.MULTILINE)
    there = {name for row in rows for name in re.findall(r"`([\w./]+)`", row)}
    assert [name for name in GO if name not in there] == []


def test_the_python_forms_exist() -> None:
    """Of the tables: what stands in the second column."""
    forms = [
        form.partition("(")[0]
        for row in re.findall(r"^\| `[^|]+` \| ([^|]+) \|$", read("from-go.md"), re.MULTILINE)
        for form in re.findall(r"`([^`]+)`", row)
    ]
    assert len(forms) > 60
    with fluxor.Fluxor() as engine:
        assert [form for form in forms if not _exists(form, engine)] == []


def _exists(form: str, engine: fluxor.Fluxor) -> bool:
    name = form.partition("=")[0]
    if form != name:
        return name in inspect.signature(fluxor.Fluxor).parameters or hasattr(engine.config, name) or name == "workers"
    if name.startswith("run."):
        return hasattr(fluxor.ProcessHandle, name.removeprefix("run."))
    if name == "examples":
        return True
    roots: dict[str, Any] = {"engine": engine, "runtime": engine.runtime, "fluxor_actors": fluxor}
    first, *rest = name.split(".")
    places = [roots[first]] if first in roots else [fluxor, fluxor.ActionContext]
    if first == "fluxor_actors" and rest:
        places = [importlib.import_module(f"fluxor_actors.{rest.pop(0)}")]
    for value in places:
        for each in rest if first in roots else (first, *rest):
            value = getattr(value, each, None)
        if value is not None:
            return True
    return name in ("load", "exists", "list", "download", "wait")


def test_links_to_others_are_to_their_documentation() -> None:
    links = re.findall(r"\]\((https?://[^)]+)\)", read("comparison.md"))
    assert len(links) > 20
    assert all(link.startswith("https://") for link in links)


def test_every_option_of_an_engine_is_explained() -> None:
    options = [name for name in inspect.signature(fluxor.Fluxor).parameters if name != "settings"]
    settings = [field.name for field in attrs.fields(fluxor.Config) if field.name != "processor"]
    tables = read("embedding.md").partition("## Settings")[2]
    assert [name for name in (*options, *settings) if f"`{name}`" not in tables] == []


@pytest.mark.parametrize(
    "cls", [fluxor.Fluxor, fluxor.Runtime, fluxor.ProcessHandle, fluxor.ApprovalService, fluxor.ActionContext]
)
def test_every_method_is_on_some_page(cls: type) -> None:
    pages = "\n".join(read(page) for page in NAV if page != "from-go.md")
    names = [name for name, value in inspect.getmembers(cls) if not name.startswith("_") and callable(value)]
    # What joins a service to an engine is the engine's affair.
    assert [name for name in names if not re.search(rf"\b{name}\b", pages) and name not in ("attach", "detach")] == []


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    shown = set(re.findall(r"^::: ([\w.]+)$", read("api.md"), re.MULTILINE))
    module = importlib.import_module(name)
    homes = {each: getattr(getattr(module, each), "__module__", None) for each in module.__all__}
    # What has no home of its own, a constant or a sub-package, stands in its module.
    missing = [each for each, home in homes.items() if home and home not in shown and f"{home}.{each}" not in shown]
    assert missing == []


def test_every_extra_is_explained() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert [name for name in extras if f"| `{name}` |" not in read("compatibility.md")] == []
