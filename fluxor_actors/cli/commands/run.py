"""``fluxor run``."""

from __future__ import annotations

import json
import os
import shlex
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from fluxor_actors.cli.exits import ExitCode
from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.options import ActionsOption, ByOption, DebugOption, FileArgument, StoreOption

if TYPE_CHECKING:
    from fluxor_actors.cli.running import Ended

__all__ = ["run"]


class Policies(StrEnum):
    """What ``--policy`` takes."""

    ASK = "ask"
    AUTO = "auto"
    DENY = "deny"


def run(
    file: FileArgument,
    *,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", "-i", metavar="NAME=VALUE|@FILE", help="An input, or a file of inputs; may be repeated."
        ),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option("--task", metavar="NAME", help="Run only this task and what it depends on; may be repeated."),
    ] = None,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="DURATION", help="How long to wait: 90s, 1h30m, PT5M.")
    ] = None,
    process_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="The id of the process; the same again goes on with it.")
    ] = None,
    policy: Annotated[
        Policies | None,
        typer.Option("--policy", help="Ask before each action, run them all, or none; the document may be stricter."),
    ] = None,
    by: ByOption = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=1, help="How many actions run at once; default 8.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="End with the result as a line of JSON; show no progress.")
    ] = False,
    actions: ActionsOption = None,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Run a workflow and show how it goes.

    What actions print goes to standard output, the progress to standard error. Who sits at the terminal is asked what waits for
    approval. Exit codes: 0 completed, 1 failed, 2 wrong usage or document, 3 not finished: the time is up, or it waits for somebody,
    4 cancelled, 130 interrupted.
    """
    from fluxor_actors.actors.event_service import EventService
    from fluxor_actors.cli.answering import login_name
    from fluxor_actors.cli.inputs import read_inputs
    from fluxor_actors.cli.opening import check_file, open_engine, read_stdin
    from fluxor_actors.cli.runnable import check_tasks
    from fluxor_actors.cli.running import Request, carry_out, summary
    from fluxor_actors.cli.services import load_services
    from fluxor_actors.cli.storing import named, open_or_none
    from fluxor_actors.cli.views import choose_view
    from fluxor_actors.durations import parse_duration

    try:
        seconds = None if timeout is None else parse_duration(timeout)
    except ValueError as error:
        raise UsageProblem(f"--timeout: {error}") from error
    if file == "-" and "@-" in (inputs or []):
        raise UsageProblem(
            "both the workflow and its inputs are to come from standard input", "name a file for one of them"
        )
    values = read_inputs(inputs or [], read_stdin)
    check_file(file)
    services = load_services(actions or [])
    # Before the store is opened: a document with mistakes leaves no file behind.
    loading = open_engine(services=services).runtime
    workflow = loading.decode_yaml_workflow(read_stdin()) if file == "-" else loading.load_workflow(file)
    check_tasks(workflow, task or [])
    view = choose_view(workflow, quiet=as_json, whole=not task)
    # A view that lags behind for a moment loses nothing.
    events = EventService(buffer=200_000)
    with open_or_none(store) as kept:
        engine = open_engine(services=services, store=kept, workers=workers, events=events)
        again = _again(file, actions, named(store))
        request = Request(
            workflow, values, tuple(task or ()), process_id, seconds, kept, again, policy, by or login_name(), named(store)
        )  # fmt: skip
        ended = carry_out(engine, events, request, view)
    if not as_json:
        for line in summary(ended, workflow.name):
            print(line, file=sys.stderr)
    else:
        _print_json(ended, workflow.name)
    _leave(ended)


def _again(file: str, actions: list[str] | None, on: str) -> str:
    """The command line that goes on with a process; ``{id}`` stands for its id. ``on``: what names the store."""
    command = ["fluxor", "resume-all"] if file == "-" else ["fluxor", "run", file]
    for name in actions or []:
        command += ["-a", name]
    text = f"{shlex.join(command)}{on}".replace("{", "{{").replace("}", "}}")
    return f"{text} --paused" if file == "-" else f"{text} --id {{id}}"


def _print_json(ended: Ended, workflow: str) -> None:
    output = ended.output
    data = {
        "id": output.process_id,
        "workflow": workflow,
        "state": output.state,
        "timedOut": ended.code is ExitCode.UNFINISHED,
        "output": output.output,
        "errors": output.errors,
        "timeTaken": output.time_taken,
    }
    if ended.waiting:
        data["approvals"] = list(ended.waiting)
    text = json.dumps(data, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(data)
    print(text)


def _leave(ended: Ended) -> None:
    """Exit; without the interpreter's own end where an action that does not return could hold it up."""
    if ended.left:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code)
    raise typer.Exit(ended.code)
