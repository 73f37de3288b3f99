"""``fluxor retry``."""

from __future__ import annotations

from fluxor_actors.cli.options import DebugOption, IdArgument, StoreOption

__all__ = ["retry"]


def retry(
    process_id: IdArgument,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Go on with a failed or cancelled process from where it stopped; what is completed is kept."""
    from fluxor_actors.cli.controlling import control
    from fluxor_actors.process.commands import ResumeFailed

    control(store, process_id, ResumeFailed())
