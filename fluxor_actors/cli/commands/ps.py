"""``fluxor ps``."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import Annotated

import typer

from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.options import DebugOption, JsonOption, StoreOption

__all__ = ["ps"]


def ps(
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="STATE", help="Only those in this state: running, paused, failed, …"),
    ] = None,
    workflow: Annotated[
        str | None, typer.Option("--workflow", metavar="NAME", help="Only those of the workflow of this name.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, help="The newest so many; 0 is all of them.")
    ] = 50,
    as_json: JsonOption = False,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """List processes, the newest last."""
    from fluxor_actors.cli.process_list import ProcessList
    from fluxor_actors.cli.storing import open_existing
    from fluxor_actors.process.states import ProcessState

    try:
        wanted = None if state is None else ProcessState(state)
    except ValueError as error:
        raise UsageProblem(f"--state: there is no state {state!r}", f"one of {', '.join(ProcessState)}") from error
    with closing(open_existing(store)) as opened:
        found = ProcessList(opened, wanted, workflow, limit)
    if as_json:
        typer.echo(found.json())
        return
    if not found.rows:
        print("no processes", file=sys.stderr)
        return
    for line in found.lines():
        typer.echo(line)
    if found.older:
        print(f"… and {found.older} older; --limit 0 shows all", file=sys.stderr)
