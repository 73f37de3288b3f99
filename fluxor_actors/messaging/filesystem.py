"""A queue in a local folder, between programs on one machine.

Example:
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     queue = FilesystemQueue(folder)
    ...     queue.publish({"order": 1}, id="a")
    ...     message = queue.consume(timeout=1)
    ...     message.payload, message.ack()
    ...     queue.close()
    'a'
    ({'order': 1}, True)
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from attrs import evolve

from fluxor_actors.clock import Clock, SystemClock
from fluxor_actors.errors import ConfigError, QueueError
from fluxor_actors.messaging.backlog import Backlog
from fluxor_actors.messaging.bells import Bells
from fluxor_actors.messaging.claims import Claim, DeadFile
from fluxor_actors.messaging.codec import Codec, NoCodec, PlainCodec
from fluxor_actors.messaging.envelope import Envelope, new_id
from fluxor_actors.messaging.folders import Folders, Name, sync_folder
from fluxor_actors.messaging.membership import Member, departed
from fluxor_actors.messaging.message import Message
from fluxor_actors.messaging.retries import DIED, Retries

__all__ = ["FilesystemQueue"]

_logger = logging.getLogger(__name__)

T = TypeVar("T")

_LOOK = 1.0
"""Seconds after which one that waits looks by itself. Publishers wake it at once; but one that is killed wakes nobody, neither to
what it has just published nor to what it leaves unsettled."""

_OURS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Why a file may not be read that is in order."""


class FilesystemQueue(Generic[T]):
    """A `Queue` in a folder, which any number of programs on the machine may use at once.

    A program may be killed at any instant: nothing is lost, and nothing is ever two consumers' at once. What a dead consumer had
    comes again. A message whose file cannot be read becomes a dead letter at once, whose payload raises `QueueError`; files that are none of the queue's
    are moved to the folder ``damaged``. Both are logged, and neither keeps the others up.

    Args:
        path: a local folder; it is made if it is not there. It has to rename atomically and to lock, as local file systems do.
        max_retries: deliveries after the first. The same for all who use the folder.
        retry_delay: seconds, or text such as ``500ms``, between two deliveries.
        sync: whether `publish` returns when the item is on the disk, so that it survives the machine's death too.
        codec: for items that are not plain data, such as a `TypedCodec`.
        clock: the time, for tests: retry delays go by it.

    Raises:
        ConfigError: the path is not a local one.
        QueueError: the folder cannot be made, or the system has no named pipes.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_retries: int = 3,
        retry_delay: float | str = 1.0,
        sync: bool = True,
        codec: Codec[T] | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not hasattr(os, "mkfifo"):
            raise QueueError(
                "a queue in a folder needs named pipes and locks that end with their program, which this system does not have; "
                "use MemoryQueue within a program, or KombuQueue between programs"
            )
        self._retries = Retries.of(max_retries, retry_delay)
        self._codec: Codec[T] = codec or PlainCodec()
        self._clock = clock or SystemClock()
        root = _local(os.fspath(path))
        with _trouble(root):
            self._folders = Folders(root, sync=sync)
        self._bells = Bells(self._folders.bells)
        self._backlog = Backlog(self._folders.ready, self._folders.delayed, self._put_aside)
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._publishing = threading.Lock()
        self._settling = threading.Lock()
        self._member: Member | None = None
        self._looked = 0.0
        self._closed = False

    def publish(self, item: T, id: str | None = None) -> str:  # noqa: A002 - an attribute of messages
        made = new_id(id)
        text = Envelope(made, self._codec.encode(item)).write()
        with _trouble(self._folders.root):
            member = self._me()
            written = self._folders.working / f"{member.id}.{next(self._numbers)}"
            self._folders.write(written, text)
            try:
                self._publish(member, written)
            except OSError:
                written.unlink(missing_ok=True)
                raise
        return made

    def consume(self, timeout: float | None = None) -> Message[T] | None:
        deadline = None if timeout is None else time.monotonic() + timeout
        with _trouble(self._folders.root):
            while True:
                message = self._take()
                if message is not None:
                    return message
                left = _LOOK if deadline is None else min(_LOOK, deadline - time.monotonic())
                if left <= 0:
                    return None
                with self._bells.hung(self._me().id) as bell:
                    # What was published before the bell was hung rings no more.
                    message = self._take()
                    if message is not None:
                        return message
                    due = self._backlog.due
                    bell.wait(left if due is None else max(0.0, min(left, due / 1000 - self._clock.time())))

    def dead_letters(self) -> list[Message[T]]:
        found: list[Message[T]] = []
        with _trouble(self._folders.root):
            self._bring_back(self._me())
            names = [(Name.read(path.name), path) for path in sorted(self._folders.dead.iterdir())]
            for name, path in names:
                content = None if name is None else self._read(path)
                if name is None or content is None:
                    continue
                if isinstance(content, Envelope):
                    found.append(self._message(content, name.attempts, DeadFile(path)))
                else:
                    reason = f"{path}: {content}"
                    found.append(Message(path.name, None, name.attempts, reason, NoCodec(reason), DeadFile(path)))
        return found

    def replay(self, message: Message[T]) -> bool:
        receipt = message.receipt
        with _trouble(self._folders.root):
            member = self._me()
            return isinstance(receipt, DeadFile) and self._publish(member, receipt.path)

    def close(self) -> None:
        with self._lock:
            member, self._member, self._closed = self._member, None, True
        if member is None or member.pid != os.getpid():
            return
        with contextlib.suppress(OSError, QueueError):  # what is left here comes back from a dead one
            self._give_back(member.id, died=False)
            self._bells.remove(member.id)
        member.leave()
        self._bells.ring()

    # Publishing ----------------------------------------------------------------------------------------------------------

    def _publish(self, member: Member, path: Path) -> bool:
        """Give a file that stands elsewhere its place at the end."""
        try:
            with self._publishing, member.turn() as number:
                path.rename(self._folders.ready / str(Name(number, 0)))
        except FileNotFoundError:
            return False
        if self._folders.sync:
            sync_folder(self._folders.ready)
        self._bells.ring()
        return True

    # Consuming -----------------------------------------------------------------------------------------------------------

    def _take(self) -> Message[T] | None:
        if time.monotonic() - self._looked >= _LOOK:
            self._bring_back(self._me())
        while True:
            member = self._me()  # each time: the queue may be closed meanwhile
            with self._lock:
                found = self._backlog.next(int(self._clock.time() * 1000))
            if found is None:
                return None
            path, name = found
            claim = self._claim(self._folders.claimed / member.id, name.number, name.attempts + 1)
            try:
                path.rename(claim.path)
            except FileNotFoundError:
                if not claim.path.parent.is_dir() and member is self._member:
                    raise  # somebody has deleted the folders
                continue  # another was quicker
            try:
                content = self._read(claim.path)
            except OSError:
                claim.release()
                raise
            if isinstance(content, Envelope):
                if self._member is not member:
                    # Closed meanwhile: it may be what `close` has just given back, and another thread still has in its hands.
                    claim.release()
                    continue
                claim.envelope = content
                return self._message(content, name.attempts + 1, claim)
            if content is not None:
                self._bury(claim.path, evolve(name, attempts=name.attempts + 1), content)

    def _claim(self, folder: Path, number: int, attempts: int) -> Claim:
        return Claim(
            self._folders, folder, Name(number, attempts), self._delay, self._fail, self._bells.ring, self._settling
        )

    def _message(self, envelope: Envelope, attempts: int, receipt: Claim | DeadFile) -> Message[T]:
        return Message(envelope.id, envelope.payload, attempts, envelope.error, self._codec, receipt)

    def _fail(self, path: Path, name: Name) -> None:
        """Move what was claimed to where it waits, or to the dead letters."""
        if self._retries.exhausted(name.attempts):
            path.rename(self._folders.dead / str(name))
        else:
            due = int((self._clock.time() + self._retries.delay) * 1000)
            self._delay(path, evolve(name, due=due))

    def _delay(self, path: Path, name: Name) -> None:
        path.rename(self._folders.delayed / str(name))
        with self._lock:
            self._backlog.delay(name)

    def _read(self, path: Path) -> Envelope | str | None:
        """What is in a message's file, or what is wrong with it; None when it is gone."""
        try:
            return Envelope.read(path.read_bytes())
        except FileNotFoundError:
            return None
        except QueueError as error:
            return str(error)
        except OSError as error:
            if error.errno in _OURS:
                raise
            return f"it cannot be read: {error.strerror}"

    def _bury(self, path: Path, name: Name, reason: str) -> None:
        """Keep as a dead letter what cannot be read, and would not be the next time."""
        with contextlib.suppress(FileNotFoundError):
            path.rename(self._folders.dead / str(evolve(name, due=None)))
            _logger.error("message %s of the queue %s is a dead letter: %s", path.name, self._folders.root, reason)

    def _put_aside(self, path: Path, reason: str) -> None:
        """Take what is no message out of the way of the others."""
        aside = self._folders.damaged / f"{path.name}.{time.time_ns()}"
        with contextlib.suppress(FileNotFoundError):
            path.rename(aside)
            _logger.error("%s was moved to %s: %s", path, aside, reason)

    # Those who come and go -----------------------------------------------------------------------------------------------

    def _me(self) -> Member:
        """Who this is among those who use the folder; someone else in a program that was forked from this one.

        Raises:
            QueueError: the queue is closed.
        """
        member = self._member
        if member is not None and member.pid == os.getpid():
            return member
        with self._lock:
            if self._closed:
                raise QueueError(f"the queue {self._folders.root} is closed")
            if self._member is None or self._member.pid != os.getpid():
                made = Member(self._folders.members, self._folders.working, self._folders.order)
                (self._folders.claimed / made.id).mkdir()
                self._member = made
            return self._member

    def _bring_back(self, member: Member) -> None:
        """Take from the dead what they had."""
        self._looked = time.monotonic()
        with departed(self._folders.members, member.id) as dead:
            for one in dead:
                self._give_back(one, died=True)
                self._bells.remove(one)
                for path in self._folders.working.glob(f"{one}.*"):
                    path.unlink(missing_ok=True)

    def _give_back(self, member_id: str, *, died: bool) -> None:
        """Move what a member has claimed to where it waits, as a failure if it died."""
        folder = self._folders.claimed / member_id
        while folder.is_dir():
            for file in sorted(folder.iterdir()):
                name = Name.read(file.name)
                if name is None:
                    self._put_aside(file, "no message has such a name")
                    continue
                claim = self._claim(folder, name.number, name.attempts)
                if not died:
                    claim.release()
                elif isinstance(found := self._read(claim.path), Envelope):
                    claim.envelope = found
                    claim.nack(DIED)
                elif found is not None:
                    self._bury(claim.path, name, found)
            # Without its folder it can claim nothing more; what another thread of it has claimed just now is next.
            try:
                folder.rmdir()
            except FileNotFoundError:
                return
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise


def _local(path: str) -> Path:
    """Raises ConfigError if it is somewhere else."""
    kind, separator, rest = path.partition("://")
    if separator and kind not in ("file", "local"):
        raise ConfigError(
            f"the queue's path is {path!r}; expected a local folder, since others do not rename atomically; "
            "for queues between machines use KombuQueue"
        )
    return Path(rest if separator else path).absolute()


@contextlib.contextmanager
def _trouble(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise QueueError(f"the queue {root} cannot be used: {error}") from error
