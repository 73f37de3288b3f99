"""``fluxor pause``."""

from __future__ import annotations

from fluxor_actors.cli.options import DebugOption, IdArgument, StoreOption

__all__ = ["pause"]


def pause(
    process_id: IdArgument,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Have a process start nothing new; it is paused when what runs has ended."""
    from fluxor_actors.cli.controlling import control
    from fluxor_actors.process.commands import Pause

    control(store, process_id, Pause())
