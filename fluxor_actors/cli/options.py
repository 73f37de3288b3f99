"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = [
    "DEBUG",
    "STORE",
    "ActionsOption",
    "ByOption",
    "DebugOption",
    "FileArgument",
    "IdArgument",
    "JsonOption",
    "ReasonOption",
    "RequestArgument",
    "StoreOption",
]

DEBUG = "fluxor_actors.debug"
STORE = "fluxor_actors.store"
"""Where the context keeps which store was given, None where it is the default; missing for commands that use none."""


def _set_debug(context: typer.Context, value: bool) -> bool:
    if value:
        context.meta[DEBUG] = True
    return value


def _keep_store(context: typer.Context, value: str | None) -> str | None:
    context.meta[STORE] = value
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
        callback=_keep_store,
        help="Where processes are kept: sqlite:///file.db, postgresql://…, memory://; default sqlite:///fluxor.db.",
    ),
]
RequestArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of the request; `fluxor approvals` has it.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded.")]
ByOption = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="NAME", show_default=False, help="Who decides; you, by your login name, unless said otherwise."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
