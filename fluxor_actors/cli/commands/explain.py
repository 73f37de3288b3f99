"""``fluxor explain``."""

from __future__ import annotations

import json
from contextlib import closing

import typer

from fluxor_actors.cli.options import DebugOption, IdArgument, JsonOption, StoreOption

__all__ = ["explain"]


def explain(
    process_id: IdArgument, as_json: JsonOption = False, store: StoreOption = None, debug: DebugOption = False
) -> None:
    """Say why a process is where it is: what it waits for, since when, on whom, and what would free it."""
    from fluxor_actors.cli.explanations import explanation_data, explanation_lines
    from fluxor_actors.cli.looking import Onlooker
    from fluxor_actors.cli.storing import open_existing
    from fluxor_actors.engine.explaining import Explainer

    with closing(open_existing(store)) as opened:
        explanation = Explainer(opened, Onlooker(opened).plan).explain(process_id)
    if as_json:
        typer.echo(json.dumps(explanation_data(explanation), indent=2))
        return
    for line in explanation_lines(explanation):
        typer.echo(line)
