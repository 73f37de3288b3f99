"""``fluxor schema``."""

from __future__ import annotations

import json

import typer

from fluxor_actors.cli.options import DebugOption, StoreOption

__all__ = ["schema"]


def schema(store: StoreOption = None, debug: DebugOption = False) -> None:
    """Print the JSON Schema of workflow documents, for editors."""
    from fluxor_actors.definition import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))
