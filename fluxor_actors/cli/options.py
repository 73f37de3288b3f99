"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["DEBUG", "ActionsOption", "DebugOption", "FileArgument", "IdArgument", "JsonOption", "StoreOption"]

DEBUG = "fluxor_actors.debug"


def _set_debug(context: typer.Context, value: bool) -> bool:
    if value:
        context.meta[DEBUG] = True
    return value


DebugOption = Annotated[
    bool, typer.Option("--debug", help="Show the tracebacks of errors.", callback=_set_debug, is_eager=True)
]
FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="A workflow document: a path, a URL, or - for standard input.")
]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of the process.")]
ActionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--actions",
        "-a",
        metavar="MODULE[:NAME]",
        help="Python actions: a module, or a path that ends in .py; may be repeated.",
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        envvar="FLUXOR_STORE",
        help="Where processes are kept: sqlite:///file.db, postgresql://…, memory://; default sqlite:///fluxor.db.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
