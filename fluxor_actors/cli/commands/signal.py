"""``fluxor signal``."""

from __future__ import annotations

from typing import Annotated

import typer

from fluxor_actors.cli.options import DebugOption, IdArgument, StoreOption

__all__ = ["signal"]


def signal(
    process_id: IdArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The signal's name.")],
    value: Annotated[
        str | None,
        typer.Argument(metavar="[VALUE]", show_default=False, help="Its value, as for `run -i`; null if none."),
    ] = None,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Send a named value to a process."""
    from fluxor_actors.cli.controlling import control
    from fluxor_actors.cli.inputs import parse_value
    from fluxor_actors.process.commands import Signal

    control(store, process_id, Signal(name, None if value is None else parse_value(value)))
