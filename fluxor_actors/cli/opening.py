"""An engine, and documents, for a command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fluxor_actors.actors.event_service import EventService
from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.services import load_services
from fluxor_actors.config import Config
from fluxor_actors.definition.limits import MAX_BYTES
from fluxor_actors.engine import Fluxor
from fluxor_actors.storage import Store

__all__ = ["check_file", "open_engine", "read_stdin"]


def open_engine(
    *,
    actions: list[str] | None = None,
    services: Sequence[object] = (),
    store: Store | None = None,
    workers: int | None = None,
    events: EventService | None = None,
    take_over: bool = False,
) -> Fluxor:
    """An engine that has not started: settings from ``FLUXOR_…``, over them the options of the command line.

    Args:
        actions: modules with the user's own.
        services: such as are loaded already.
        store: where its processes are kept; None: in memory. Whoever gives it closes it.
        workers: how many actions run at once.
        events: in place of its own.
        take_over: it goes on with what other engines have left.

    Raises:
        ConfigError: a setting is wrong.
        RegistryError: an action cannot be registered.
        UsageProblem: actions cannot be loaded.
    """
    config = Config.from_environment().override(store="memory://")
    if workers is not None:
        config = config.override(workers=workers)
    services = [*services, *load_services(actions or [])]
    options: dict[str, Any] = {} if store is None else {"store": store}
    return Fluxor(config=config, services=services, event_service=events, take_over=take_over, **options)


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
