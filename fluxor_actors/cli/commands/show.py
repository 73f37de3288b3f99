"""``fluxor show``."""

from __future__ import annotations

import json
from contextlib import closing

import typer

from fluxor_actors.cli.options import DebugOption, IdArgument, JsonOption, StoreOption

__all__ = ["show"]


def show(
    process_id: IdArgument, as_json: JsonOption = False, store: StoreOption = None, debug: DebugOption = False
) -> None:
    """Show a process: its state, its session, its errors, and every run of every task."""
    from fluxor_actors.cli.looking import Onlooker
    from fluxor_actors.cli.process_page import process_lines
    from fluxor_actors.cli.snapshots import execution_data, process_data
    from fluxor_actors.cli.storing import open_existing

    with closing(open_existing(store)) as opened:
        onlooker = Onlooker(opened)
        process, executions = onlooker.process(process_id), onlooker.executions(process_id)
        engine = None if process.state.final else opened.owner_of(process_id)
    if as_json:
        data = {
            **process_data(process),
            "engine": engine,
            "executions": [execution_data(execution) for execution in executions],
        }
        typer.echo(json.dumps(data, indent=2))
        return
    for line in process_lines(process, executions, alive=engine is not None):
        typer.echo(line)
