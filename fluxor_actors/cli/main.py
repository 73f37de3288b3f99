"""Where ``fluxor`` begins."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec

from fluxor_actors.cli.exits import ExitCode
from fluxor_actors.cli.steady import Steady

__all__ = ["main"]

_NEEDED = ("typer", "rich")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Args:
        arguments: in place of those that the program was called with.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        print(
            f"error: the command line needs {' and '.join(missing)}\n"
            "  hint: python -m pip install 'fluxor-actors[cli]', or '.[cli]' in a checkout",
            file=sys.stderr,
        )
        sys.exit(ExitCode.USAGE)
    from fluxor_actors.cli.app import app  # needs the extra

    with Steady():
        app(args=arguments, prog_name="fluxor")
