"""``fluxor reject``."""

from __future__ import annotations

from contextlib import closing

from fluxor_actors.cli.options import ByOption, DebugOption, ReasonOption, RequestArgument, StoreOption

__all__ = ["reject"]


def reject(
    request_id: RequestArgument,
    reason: ReasonOption = "",
    by: ByOption = None,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Do not let an action run: a request of `fluxor approvals`. Its task fails with the reason."""
    from fluxor_actors.cli.answering import Answer, login_name

    with closing(Answer(store, request_id)) as answer:
        answer.send(False, reason, by or login_name())
