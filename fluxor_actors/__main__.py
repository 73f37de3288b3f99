"""``python -m fluxor_actors``: the command line, where the script ``fluxor`` is not on the path."""

from __future__ import annotations

from fluxor_actors.cli.main import main

if __name__ == "__main__":
    main()
