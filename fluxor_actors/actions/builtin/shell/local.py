"""A shell on this machine."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping
from shutil import which

from fluxor_actors.actions.builtin.shell.channel import is_readable
from fluxor_actors.actions.builtin.shell.processes import end_session
from fluxor_actors.errors import CommandError

try:
    import fcntl
except ImportError:  # Windows, where no shell is started
    fcntl = None  # type: ignore[assignment]

__all__ = ["LocalShell"]

_CHUNK = 65_536
_ABOVE = 64
"""Descriptors from here on are neither those of the marks nor those that scripts name."""


class LocalShell:
    """Bash, as the leader of a session of its own.

    Its end is seen though something in the background may keep its streams open: by a descriptor of the process where there are such, else by a pipe of
    which it alone holds one end. Another pipe ends with this program, however that dies: then a process that listens to it ends the session.

    Raises:
        CommandError: it cannot be started.
    """

    def __init__(self, workdir: str | None, env: Mapping[str, str]) -> None:
        bash = which("bash")
        if bash is None:
            raise CommandError("found no bash on the path")
        self._life, held = _pipe()
        self._leash: int
        leashed, self._leash = _pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - what runs in it is what the service is for
                [bash, "--noprofile", "--norc"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=workdir,
                env={**os.environ, **env},
                pass_fds=(held, leashed),
                start_new_session=True,
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            os.close(self._life)
            os.close(self._leash)
            where = "" if workdir is None else f" in workdir {workdir!r}"
            raise CommandError(f"no shell can be started{where}: {error}") from error
        finally:
            os.close(held)
            os.close(leashed)
        with contextlib.suppress(AttributeError, OSError):  # there are none but on Linux
            life = os.pidfd_open(self._process.pid)
            os.close(self._life)
            self._life = life
        self.private = f"{held}>&-"
        out, err = self._process.stdout, self._process.stderr
        assert out is not None
        assert err is not None
        self._open = {out.fileno(): False, err.fileno(): True}
        for stream in self._open:
            os.set_blocking(stream, False)
        # The grandchild of the shell, so that `wait` and `jobs` do not know of it.
        ends = "pkill -KILL -s $$; kill -s KILL 0"
        self.send(
            f"( {{ read -r <&{leashed}; {ends}; }} </dev/null >/dev/null 2>&1 {held}>&- & )\nexec {leashed}<&-\n".encode()
        )

    @property
    def streams(self) -> list[int]:
        return [self._life, *self._open] if self._open else []

    def send(self, data: bytes) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        view = memoryview(data)
        while view:
            view = view[stdin.write(view) :]

    def take(self) -> list[tuple[bool, bytes]]:
        taken: list[tuple[bool, bytes]] = []
        over = is_readable(self._life)
        for stream, is_error in list(self._open.items()):
            while (data := _read(stream)) is not None:
                if not data:
                    del self._open[stream]
                    break
                taken.append((is_error, data))
                if not over:
                    break  # the other stream has its turn
        if over:
            self._open.clear()
        return taken

    def stop(self, *, hard: bool) -> None:
        # The shell is not reaped before `close`: its number is still its own.
        end_session(self._process.pid, hard=hard)

    def close(self) -> int | None:
        over = not self._open
        # With all that it has left in the background. One that has ended is not reaped yet, and keeps its status.
        self.stop(hard=True)
        status = self._process.wait()
        os.close(self._life)
        os.close(self._leash)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        return status if over else None


def _pipe() -> tuple[int, int]:
    """A pipe with both ends at numbers that are out of the way."""
    ends = os.pipe()
    try:
        return fcntl.fcntl(ends[0], fcntl.F_DUPFD_CLOEXEC, _ABOVE), fcntl.fcntl(ends[1], fcntl.F_DUPFD_CLOEXEC, _ABOVE)
    finally:
        for end in ends:
            os.close(end)


def _read(stream: int) -> bytes | None:
    """What is there; empty at the end, None when nothing is there yet."""
    try:
        return os.read(stream, _CHUNK)
    except BlockingIOError:
        return None
