"""``fluxor actions``."""

from __future__ import annotations

import json

import typer

from fluxor_actors.cli.options import ActionsOption, DebugOption, JsonOption, StoreOption

__all__ = ["actions"]


def actions(
    actions: ActionsOption = None, as_json: JsonOption = False, store: StoreOption = None, debug: DebugOption = False
) -> None:
    """List the actions, with what they take and give."""
    from fluxor_actors.cli.listing import action_data, action_lines
    from fluxor_actors.cli.opening import open_engine

    engine = open_engine(actions=actions)
    methods = [method for method in engine.actions.methods() if not method.signature.internal]
    methods.sort(key=lambda method: method.action.casefold())
    if as_json:
        typer.echo(json.dumps([action_data(method) for method in methods], indent=2))
    else:
        for line in action_lines(methods):
            typer.echo(line)
