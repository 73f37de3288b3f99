"""Standard streams that do not make a program fail: closed, unable to write a character, or read by nobody any more.

When the reader of a pipe goes away (``fluxor run … | head -1``), what is written goes nowhere from then on, and the work goes on:
a deployment is not broken off since somebody wanted to see one line of it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["Steady", "SteadyStream"]


class SteadyStream:
    """A text stream around another one, that survives the loss of its reader."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or drop what nobody reads."""
        self._trying(lambda: self._stream.write(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of them."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush, or drop what nobody reads."""
        self._trying(self._stream.flush)

    def _trying(self, act: Callable[[], object]) -> None:
        try:
            act()
        except BrokenPipeError:
            self._abandon()

    def _abandon(self) -> None:
        # At the level of the file, so that subprocesses and the interpreter's own last flush are quiet, too.
        with suppress(OSError, ValueError, io.UnsupportedOperation):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


class Steady:
    """Makes `sys.stdout` and `sys.stderr` steady inside a ``with``."""

    def __enter__(self) -> Self:
        self._before = (sys.stdout, sys.stderr)
        sys.stdout, sys.stderr = (_steady(stream) for stream in self._before)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        try:
            sys.stdout.flush()
        except (OSError, ValueError) as error:
            _lost(self._before[0])
            print(f"error: the output cannot be written: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        finally:
            sys.stdout, sys.stderr = self._before


def _steady(stream: Any) -> Any:
    if stream is None:  # closed by whoever started the program
        return Path(os.devnull).open("w", encoding="utf-8")
    with suppress(AttributeError, ValueError):
        stream.reconfigure(errors="backslashreplace")
    return SteadyStream(stream)


def _lost(stream: Any) -> None:
    """Let the interpreter's own flush at its end find nothing to complain about."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
