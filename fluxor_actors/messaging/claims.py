"""What messages of a folder are settled with."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from attrs import evolve, frozen

from fluxor_actors.errors import QueueError
from fluxor_actors.messaging.envelope import Envelope
from fluxor_actors.messaging.folders import Folders, Name

__all__ = ["Claim", "DeadFile"]

_logger = logging.getLogger(__name__)

Move = Callable[[Path, Name], None]
"""Moves a file that was claimed, under the name, to where it waits; or, when it has come too often, to the dead letters."""


class Claim:
    """A message that is one consumer's: it stands in its folder, and whoever moves it out first has settled it.

    Args:
        folders: all of them.
        folder: the consumer's.
        name: the file's.
        delay: what to do when it is given back.
        fail: what to do when it is refused.
        ring: wakes who waits for messages.
        settling: held while one is settled, so that no two threads settle the same.

    Attributes:
        path: the file.
        envelope: what was found in it; None before it is read.
    """

    def __init__(
        self,
        folders: Folders,
        folder: Path,
        name: Name,
        delay: Move,
        fail: Move,
        ring: Callable[[], None],
        settling: threading.Lock,
    ) -> None:
        self.path = folder / str(name)
        self.envelope: Envelope | None = None
        self._folders = folders
        self._name = name
        self._delay = delay
        self._fail = fail
        self._ring = ring
        self._settling = settling

    def ack(self) -> bool:
        return self._try(self.path.unlink)

    def nack(self, error: str) -> bool:
        return self._try(lambda: self._refuse(error), news=True)

    def release(self) -> bool:
        # With those that are delayed, since these are looked at each time, and due at once.
        back = Name(self._name.number, self._name.attempts - 1, 0)
        return self._try(lambda: self._delay(self.path, back), news=True)

    def _refuse(self, error: str) -> None:
        if self.envelope is not None and error != self.envelope.error and self.path.exists():
            # The file is replaced where it stands: should the program be killed now, it is this consumer's still.
            noted = self._folders.working / f"{self.path.parent.name}.{self._name.number}"
            try:
                self._folders.write(noted, evolve(self.envelope, error=error).write())
                noted.replace(self.path)
            except OSError as trouble:
                # Moving needs no room: better refused without the reason than not refused.
                _logger.warning("%s: that it was refused, %s, could not be noted: %s", self.path, error, trouble)
        self._fail(self.path, self._name)

    def _try(self, move: Callable[[], object], *, news: bool = False) -> bool:
        try:
            with self._settling:
                move()
            if news:
                self._ring()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise QueueError(f"{self.path} cannot be settled: {error}") from error
        return True


@frozen
class DeadFile:
    """A dead letter: its file."""

    path: Path

    def ack(self) -> bool:
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise QueueError(f"{self.path} cannot be deleted: {error}") from error
        return True

    def nack(self, error: str) -> bool:
        return False

    def release(self) -> bool:
        return False
