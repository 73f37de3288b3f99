"""``fluxor certify``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fluxor_actors.cli.exits import ExitCode
from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.options import ActionsOption, DebugOption, FileArgument

__all__ = ["certify"]


def certify(
    file: FileArgument,
    *,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", "-i", metavar="NAME=VALUE|@FILE", help="An input, or a file of inputs; may be repeated."
        ),
    ] = None,
    signal: Annotated[
        list[str] | None,
        typer.Option("--signal", metavar="NAME=VALUE", help="A signal to send once it has started; may be repeated."),
    ] = None,
    approve: Annotated[
        str | None,
        typer.Option("--approve", metavar="NAME", help="Approve, in this name, whatever asks for approval."),
    ] = None,
    steps: Annotated[
        int, typer.Option("--steps", metavar="N", min=1, help="At how many steps at most it is killed; default 500.")
    ] = 500,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="DURATION", help="How long one run may take; default 60s.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="URL",
            help="A PostgreSQL database: each run has a schema of its own there, dropped after it. Default: files of SQLite.",
        ),
    ] = None,
    any_output: Annotated[
        bool, typer.Option("--any-output", help="The output may differ from that of a run that nobody kills.")
    ] = False,
    actions: ActionsOption = None,
    debug: DebugOption = False,
) -> None:
    """Kill a workflow at every durable step, and show what was lost or repeated.

    Its actions are really called, again and again. Exit codes: 0 nothing lost and nothing repeated, 1 something was, 2 wrong usage or document.
    """
    from fluxor_actors.cli.inputs import read_inputs
    from fluxor_actors.cli.opening import check_file, open_engine, read_stdin
    from fluxor_actors.durations import parse_duration
    from fluxor_actors.errors import StoreError
    from fluxor_actors.testing import certify as certified

    try:
        seconds = 60.0 if timeout is None else parse_duration(timeout)
    except ValueError as error:
        raise UsageProblem(f"--timeout: {error}") from error
    if file == "-":
        raise UsageProblem("programs of their own read the document: name a file")
    check_file(file)
    values = read_inputs(inputs or [], read_stdin)
    signals = tuple(read_inputs(signal or [], read_stdin).items())
    # What is wrong with the document or its actions is told before anything is killed.
    open_engine(actions=actions).runtime.load_workflow(file)
    try:
        report = certified(
            file, actions=actions or (), inputs=values, signals=signals, approve=approve, timeout=seconds, most=steps,
            same_output=not any_output, store=store, watch=_show if sys.stderr.isatty() else None,
        )  # fmt: skip
    except (ValueError, StoreError) as error:
        raise UsageProblem(str(error)) from error
    typer.echo(str(report))
    raise typer.Exit(ExitCode.COMPLETED if report.ok else ExitCode.FAILED)


def _show(done: int, total: int) -> None:
    sys.stderr.write(f"\r{done} of {total} steps" + ("\n" if done == total else ""))
    sys.stderr.flush()
