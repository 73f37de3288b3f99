"""What a program holds: memory, objects, threads, descriptors."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path

from attrs import frozen

__all__ = ["Sample", "sample"]

_DESCRIPTORS = Path("/proc/self/fd")
_MEMORY = Path("/proc/self/statm")


@frozen
class Sample:
    """What there is at a moment when nothing runs. ``resident`` in bytes; 0 where the system does not tell."""

    processes: int
    objects: int
    resident: int
    threads: int
    descriptors: int
    disk: int = 0


def sample(processes: int, folder: Path | None = None) -> Sample:
    """Look, after the garbage is gone. ``processes``: how many have ended so far; ``folder``: whose files count."""
    gc.collect()
    # The folder of descriptors is open itself while it is read.
    descriptors = len(list(_DESCRIPTORS.iterdir())) - 1 if _DESCRIPTORS.exists() else 0
    resident = int(_MEMORY.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") if _MEMORY.exists() else 0
    used = sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) if folder else 0
    return Sample(processes, len(gc.get_objects()), resident, threading.active_count(), descriptors, used)
