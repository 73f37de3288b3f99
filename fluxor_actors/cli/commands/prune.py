"""``fluxor prune``."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Annotated

import typer

from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.options import DebugOption, StoreOption

__all__ = ["prune"]


def prune(
    before: Annotated[
        str | None, typer.Option("--before", metavar="AGE", help="Those that ended longer ago than this: 30d, 12h.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option("--keep", metavar="N", min=0, help="All but the so many that ended last.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many it would be, and delete nothing.")] = False,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Delete finished processes, and definitions that no process has any more. What has not ended is never deleted."""
    from fluxor_actors.cli.storing import open_existing

    if before is None and keep is None:
        raise UsageProblem("nothing says what to delete", "--before 30d, --keep 1000, or both")
    moment = None if before is None else time.time() - _age(before)
    with closing(open_existing(store)) as opened:
        found = opened.prune(before=moment, keep=keep, dry_run=dry_run)
    word = "would delete" if dry_run else "deleted"
    typer.echo(
        f"{word} {_count(found.processes, 'process', 'processes')} and {_count(found.definitions, 'definition', 'definitions')}"
    )


def _age(text: str) -> float:
    from fluxor_actors.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageProblem(f"--before: {error}", "30d, 12h, PT5M") from error


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
