"""Who an engine is, and whether it is known to be dead."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

from fluxor_actors.storage.durable import EngineIdentity

__all__ = ["identify", "known_dead"]


def identify(engine_id: str | None = None) -> EngineIdentity:
    """The identity of an engine in this program, under a new id unless one is given.

    Example:
        >>> identify("e1").id, identify() == identify()
        ('e1', False)
    """
    pid = os.getpid()
    return EngineIdentity(engine_id or uuid.uuid4().hex, socket.gethostname(), _boot(), pid, _started(pid) or "")


def known_dead(engine: EngineIdentity) -> bool:
    """Whether the engine's program has certainly ended. False also when that cannot be known from here.

    Example:
        >>> known_dead(identify())
        False
    """
    boot = _boot()
    if not boot or not engine.started or engine.host != socket.gethostname() or engine.boot != boot:
        return False
    started = _started(engine.pid)
    return started is None or started != engine.started


def _boot() -> str:
    # The number of a program means something only within its namespace: two containers share a boot, and may share a name.
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When the program started, in ticks since the boot; None when it does not run, or has ended and waits for its parent."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The name, in brackets, may hold anything.
    fields = text[text.rfind(")") + 2 :].split()
    return None if fields[0] in ("Z", "X") else fields[19]
