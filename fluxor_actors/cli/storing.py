"""The store that a command works on."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.clock import SystemClock
from fluxor_actors.config import Config
from fluxor_actors.engine.stores import open_store
from fluxor_actors.errors import (
    ApprovalNotFoundError,
    ConfigError,
    NotFoundError,
    SchemaVersionError,
    StoreError,
    StoreUnavailableError,
)
from fluxor_actors.storage.durable import DurableStore

__all__ = ["DEFAULT_STORE", "named", "not_there", "open_durable", "open_existing", "open_or_none", "store_url"]

DEFAULT_STORE = "sqlite:///fluxor.db"


def store_url(given: str | None) -> str:
    """The URL that was given, or the default.

    Example:
        >>> store_url(None), store_url("memory://")
        ('sqlite:///fluxor.db', 'memory://')
    """
    return given or DEFAULT_STORE


def named(given: str | None) -> str:
    """What has to be added to another command so that it finds the store, too."""
    return "" if given is None or given == os.environ.get("FLUXOR_STORE") else f" --store {shlex.quote(given)}"


def not_there(error: NotFoundError, given: str | None) -> UsageProblem:
    """What to say of a process, or a request, that is not in the store that was given."""
    url = store_url(given)
    # A password may stand before the host, or among the parameters.
    shown = re.sub(r"://.*@", "://…@", url.partition("?")[0], flags=re.DOTALL)
    on = f" --store {shlex.quote(shown)}" if named(given) else ""
    lists = "approvals" if isinstance(error, ApprovalNotFoundError) else "ps"
    near = f"; did you mean {', '.join(error.candidates)}?" if error.candidates else ""
    return UsageProblem(
        f"{error.kind} {error.name!r} not found in {shown}{near}",
        f"`fluxor {lists}{on}` lists what is there; --store URL, or FLUXOR_STORE, names another store",
    )


def open_durable(url: str, config: Config) -> DurableStore:
    """The store at a URL, made if it is not there.

    Raises:
        UsageProblem: there can be none.
        StoreUnavailableError: it cannot be reached at present.
    """
    try:
        return cast(DurableStore, open_store(url, config.retain, config.durability, SystemClock()))
    except StoreUnavailableError as error:
        raise StoreUnavailableError(
            f"{error}\nhint: --store URL names another store; memory:// keeps nothing"
        ) from error
    except SchemaVersionError:
        raise
    except (StoreError, ConfigError) as error:
        raise UsageProblem(str(error), "--store URL, or FLUXOR_STORE, names another") from error


@contextmanager
def open_or_none(given: str | None) -> Iterator[DurableStore | None]:
    """The store that was given, or the default, made if it is not there; None for one in memory."""
    url = store_url(given)
    if url == "memory://":
        yield None
        return
    with closing(open_durable(url, Config.from_environment())) as store:
        yield store


def open_existing(given: str | None) -> DurableStore:
    """A store that somebody has made; it is never made here.

    Raises:
        UsageProblem: there is none.
        StoreUnavailableError: it cannot be reached at present.
    """
    url = store_url(given)
    if url == "memory://":
        raise UsageProblem(
            "memory:// is the memory of one program, and no other one can look into it",
            f"--store URL, or FLUXOR_STORE, names a store; the default is {DEFAULT_STORE}",
        )
    if url.startswith("sqlite:"):
        _check_there(url)
    return open_durable(url, Config.from_environment())


def _check_there(url: str) -> None:
    from fluxor_actors.storage.sql.backend import parse_url  # needs SQLAlchemy, which takes a while to load

    try:
        path = parse_url(url).database
    except StoreError as error:
        raise UsageProblem(str(error), f"write a path after three slashes: {DEFAULT_STORE}") from error
    if path and not Path(path).exists():
        raise UsageProblem(
            f"no store at {Path(path).absolute()}",
            "`fluxor run` makes one here; --store URL, or FLUXOR_STORE, names another",
        )
