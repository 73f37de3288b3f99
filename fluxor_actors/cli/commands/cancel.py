"""``fluxor cancel``."""

from __future__ import annotations

from typing import Annotated

import typer

from fluxor_actors.cli.options import DebugOption, IdArgument, StoreOption

__all__ = ["cancel"]


def cancel(
    process_id: IdArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded.")] = "",
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Stop a process: actions are asked to stop, and `finally` tasks run."""
    from fluxor_actors.cli.controlling import control
    from fluxor_actors.process.commands import Cancel

    control(store, process_id, Cancel(reason))
