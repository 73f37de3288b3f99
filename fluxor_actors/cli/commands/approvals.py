"""``fluxor approvals``."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import closing
from typing import Annotated

import typer

from fluxor_actors.cli.options import DebugOption, JsonOption, StoreOption

__all__ = ["approvals"]


def approvals(
    process_id: Annotated[
        str | None, typer.Option("--process", metavar="ID", help="Only those of this process.")
    ] = None,
    action: Annotated[
        str | None, typer.Option("--action", metavar="NAME", help="Only those for this action: service:method.")
    ] = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """List the approval requests that wait for an answer, the oldest first."""
    from fluxor_actors.cli.approval_text import request_data, request_table
    from fluxor_actors.cli.storing import open_existing
    from fluxor_actors.policy import normal_name
    from fluxor_actors.storage.approval_records import filed_of

    wanted = None if action is None else normal_name(action)
    with closing(open_existing(store)) as opened:
        found = [
            filed_of(record)
            for record in opened.approvals(process_id=process_id)
            if wanted is None or normal_name(record.action) == wanted
        ]
    if as_json:
        typer.echo(json.dumps([request_data(filed) for filed in found], indent=2))
        return
    if not found:
        print("nothing waits for approval", file=sys.stderr)
        return
    for line in request_table(found, shutil.get_terminal_size().columns if sys.stdout.isatty() else None):
        typer.echo(line)
