"""``fluxor resume-all``."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from fluxor_actors.cli.options import ActionsOption, DebugOption, StoreOption

__all__ = ["resume_all"]


def resume_all(
    *,
    paused: Annotated[bool, typer.Option("--paused", help="Go on with those that are paused, too.")] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=1, help="How many actions run at once; default 8.")
    ] = None,
    actions: ActionsOption = None,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Go on with every process that a dead engine has left, until all have ended or wait for somebody.

    Needs the actions that they use. Ctrl-C lets what runs end, and leaves the rest to the next time. Exit codes: 0 all completed, 1 one
    failed, 3 one is paused, or waits for approval or a signal, 4 one was cancelled, 130 interrupted.
    """
    from fluxor_actors.actors.event_service import EventService
    from fluxor_actors.cli.opening import open_engine
    from fluxor_actors.cli.resuming import Resuming
    from fluxor_actors.cli.storing import named, open_existing

    with closing(open_existing(store)) as kept:
        events = EventService(buffer=200_000)
        engine = open_engine(store=kept, actions=actions, workers=workers, events=events, take_over=True)
        code = Resuming(engine, kept, events, named(store)).run(paused=paused)
    raise typer.Exit(code)
