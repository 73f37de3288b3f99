"""The log of what programs have done, in a file that outlives them: a line each, written at once."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["EFFECTS", "Effects"]

EFFECTS = "effects.log"
"""Its name in a job's folder."""


class Effects:
    """Appended to by several programs, one after the other or side by side. What was written survives the writer's death.

    Example:
        >>> import tempfile
        >>> log = Effects(Path(tempfile.mkdtemp()) / "effects")
        >>> log.write("begin", "p1/ship", 1)
        >>> log.read()
        [['begin', 'p1/ship', 1]]
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._path = path

    def write(self, *words: Any) -> None:
        """Add a line."""
        os.write(self._file, (json.dumps(words) + "\n").encode())

    def read(self) -> list[list[Any]]:
        """All lines so far."""
        return [json.loads(line) for line in self._path.read_text("utf-8").splitlines()]

    def close(self) -> None:
        """Write no more."""
        os.close(self._file)
