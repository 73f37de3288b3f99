"""``fluxor approve``."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.options import ByOption, DebugOption, ReasonOption, RequestArgument, StoreOption

__all__ = ["approve"]


def approve(
    request_id: RequestArgument,
    reason: ReasonOption = "",
    by: ByOption = None,
    args: Annotated[
        str | None,
        typer.Option(
            "--args", metavar="JSON|@FILE", help="Approve with these arguments in place of the recorded ones."
        ),
    ] = None,
    edit: Annotated[bool, typer.Option("--edit", "-e", help="Change the arguments in $EDITOR first.")] = False,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Let an action run: a request of `fluxor approvals`."""
    from fluxor_actors.cli.answering import Answer, login_name
    from fluxor_actors.cli.arguments import edit_arguments, read_arguments
    from fluxor_actors.cli.opening import read_stdin

    if args is not None and edit:
        raise UsageProblem("--args and --edit exclude each other")
    changed = None if args is None else read_arguments(args, read_stdin)
    with closing(Answer(store, request_id)) as answer:
        request = answer.filed.request
        if edit:
            changed = edit_arguments(request.args, f"Arguments of {request.action}, process {request.process_id}")
        answer.send(True, reason, by or login_name(), changed)
