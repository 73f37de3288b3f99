"""``printer:print``: writes a line to standard output."""

from __future__ import annotations

import sys
import threading
from typing import Any

from fluxor_actors.actions.decorators import method
from fluxor_actors.expression import Limits
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.text import text_of

__all__ = ["Printer"]

# Of the whole program, as standard output is: the lines of two engines must not run into each other either.
_WRITING = threading.Lock()
_LIMITS = Limits()


class Printer:
    """The service ``printer``."""

    name = "printer"

    @method
    def print(self, *, message: Any) -> None:
        """Write a value in its text form to standard output, as whole lines that never run into another's."""
        line = text_of(message, Meter(_LIMITS)) + "\n"
        # Looked up now: programs and tests replace it.
        stream = sys.stdout
        if stream is None:
            return  # a program without a console
        with _WRITING:
            try:
                stream.write(line)
            except UnicodeEncodeError as error:
                stream.write(line.encode(error.encoding, "backslashreplace").decode(error.encoding))
            stream.flush()
