"""``nop:nop``: an action that does nothing, to hang dependencies, approvals or timers on."""

from __future__ import annotations

from typing import Any

from fluxor_actors.actions.decorators import method

__all__ = ["Nop"]


class Nop:
    """The service ``nop``."""

    name = "nop"

    @method
    def nop(self, _input: Any) -> None:
        """Do nothing. Takes any input; its output is null."""
