"""Which view a run gets."""

from __future__ import annotations

import os
import sys
from typing import Any

from fluxor_actors.cli.views.lines import Lines
from fluxor_actors.cli.views.view import Quiet, View
from fluxor_actors.definition import Workflow

__all__ = ["choose_view"]


def choose_view(workflow: Workflow, *, quiet: bool, whole: bool) -> View:
    """A live tree if standard error is a terminal that can move its cursor, else lines.

    Args:
        workflow: what is run.
        quiet: nothing is to be shown.
        whole: all tasks run, so that those that have not begun are shown, too.
    """
    if quiet:
        return Quiet()
    if not _is_terminal(sys.stderr) or os.environ.get("TERM", "") in ("dumb", "unknown"):
        return Lines()
    from fluxor_actors.cli.views.live import LiveTree  # needs Rich, which takes a while to load

    return LiveTree(workflow if whole else None, redirect=_is_terminal(sys.stdout))


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False
