"""An engine, and documents, for a command."""

from __future__ import annotations

import sys
from pathlib import Path

from fluxor_actors.actors.event_service import EventService
from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.services import load_services
from fluxor_actors.config import Config
from fluxor_actors.definition.limits import MAX_BYTES
from fluxor_actors.engine import Fluxor

__all__ = ["check_file", "open_engine", "read_stdin"]


def open_engine(
    *, store: str | None, actions: list[str] | None, workers: int | None = None, events: EventService | None = None
) -> Fluxor:
    """An engine that has not started: settings from ``FLUXOR_…``, over them the options of the command line.

    Raises:
        ConfigError: a setting is wrong.
        RegistryError: an action cannot be registered.
        UsageProblem: actions cannot be loaded.
    """
    options = {"store": store, "workers": workers}
    config = Config.from_environment().override(**{name: value for name, value in options.items() if value is not None})
    return Fluxor(config=config, services=load_services(actions or []), event_service=events)


def read_stdin() -> bytes:
    """What stands on standard input, up to a little more than a document may have.

    Raises:
        UsageProblem: there is nothing to read from.
    """
    if sys.stdin is None or sys.stdin.closed:
        raise UsageProblem("- is standard input, and it is closed", "name a file")
    if sys.stdin.isatty():
        print("reading from the terminal; end with Ctrl-D", file=sys.stderr)
    content: bytes = sys.stdin.buffer.read(MAX_BYTES + 1)
    return content


def check_file(file: str) -> None:
    """Say so where a location is a folder.

    Raises:
        UsageProblem: it is one.
    """
    if not file:
        raise UsageProblem("the name of the file is empty")
    if "\0" not in file and "://" not in file and Path(file).is_dir():
        raise UsageProblem(f"{file} is a folder", f"name a document in it: {Path(file) / 'workflow.yaml'}")
