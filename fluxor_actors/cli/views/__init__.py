"""What a run looks like while it runs: a live tree on a terminal, plain lines elsewhere, or nothing.

May import snapshots, events and definitions; the engine hands its events to them.
"""

from __future__ import annotations

from fluxor_actors.cli.views.choosing import choose_view
from fluxor_actors.cli.views.view import View

__all__ = ["View", "choose_view"]
