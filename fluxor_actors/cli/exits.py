"""The exit codes of ``fluxor``."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """How a command ended, for scripts."""

    COMPLETED = 0
    FAILED = 1
    USAGE = 2
    UNFINISHED = 3
    CANCELLED = 4
    INTERRUPTED = 130
    TERMINATED = 143
