"""``fluxor backup``."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.options import DebugOption, StoreOption

__all__ = ["backup"]


def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file that does not exist.")],
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Copy a store in SQLite to a file while it is in use. One in PostgreSQL is backed up by pg_dump."""
    from fluxor_actors.cli.storing import open_existing, store_url

    if store_url(store).startswith("postgres"):
        raise UsageProblem(
            "a store in PostgreSQL is backed up by its own tools",
            f"pg_dump --format=custom --file={file} --table='fluxor_*' DATABASE; pg_restore brings it back",
        )
    if Path(file).exists():
        raise UsageProblem(f"{file} exists, and was left as it is", "name a file that does not")
    with closing(open_existing(store)) as opened:
        opened.backup(file)
    print(f"copied to {file}", file=sys.stderr)
