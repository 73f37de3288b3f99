"""``fluxor resume``."""

from __future__ import annotations

from fluxor_actors.cli.options import DebugOption, IdArgument, StoreOption

__all__ = ["resume"]


def resume(
    process_id: IdArgument,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Go on with a paused process."""
    from fluxor_actors.cli.controlling import control
    from fluxor_actors.process.commands import Resume

    control(store, process_id, Resume())
