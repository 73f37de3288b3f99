"""``fluxor steer``."""

from __future__ import annotations

from typing import Annotated

import typer

from fluxor_actors.cli.options import DebugOption, IdArgument, StoreOption

__all__ = ["steer"]


def steer(
    process_id: IdArgument,
    values: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE...", help="Values of the session, as for `run -i`.")
    ],
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Set values of the session of a paused process."""
    from fluxor_actors.cli.controlling import control
    from fluxor_actors.cli.failing import UsageProblem
    from fluxor_actors.cli.inputs import read_inputs
    from fluxor_actors.cli.opening import read_stdin
    from fluxor_actors.process.commands import Steer

    for text in values:
        if not text.startswith("@") and not text.partition("=")[1]:
            raise UsageProblem(f"{text!r} has no =", "write name=value, or @file.yaml")
    control(store, process_id, Steer(read_inputs(values, read_stdin)))
