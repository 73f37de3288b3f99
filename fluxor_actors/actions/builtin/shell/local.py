"""A shell on this machine."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Mapping
from shutil import which

from fluxor_actors.errors import CommandError

__all__ = ["LocalShell"]

_CHUNK = 65_536


class LocalShell:
    """Bash, as the leader of a process group of its own.

    It alone holds one end of a pipe, by which its end is seen though something in the background may keep its streams open.

    Raises:
        CommandError: it cannot be started.
    """

    def __init__(self, workdir: str | None, env: Mapping[str, str]) -> None:
        if os.name != "posix":
            raise CommandError("commands run in a POSIX shell, which this system does not have")
        bash = which("bash")
        if bash is None:
            raise CommandError("found no bash on the path")
        self._life, held = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - what runs in it is what the service is for
                [bash, "--noprofile", "--norc"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=workdir,
                env={**os.environ, **env},
                pass_fds=(held,),
                start_new_session=True,
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            os.close(self._life)
            where = "" if workdir is None else f" in workdir {workdir!r}"
            raise CommandError(f"no shell can be started{where}: {error}") from error
        finally:
            os.close(held)
        self.private = f"{held}>&-"
        out, err = self._process.stdout, self._process.stderr
        assert out is not None
        assert err is not None
        self._open = {out.fileno(): False, err.fileno(): True}
        for stream in self._open:
            os.set_blocking(stream, False)

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
        over = bool(select.select([self._life], [], [], 0)[0])
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
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL if hard else signal.SIGTERM)

    def close(self) -> int | None:
        over = not self._open
        # With all that it has left in the background. One that has ended is not reaped yet, and keeps its status.
        self.stop(hard=True)
        status = self._process.wait()
        os.close(self._life)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        return status if over else None


def _read(stream: int) -> bytes | None:
    """What is there; empty at the end, None when nothing is there yet."""
    try:
        return os.read(stream, _CHUNK)
    except BlockingIOError:
        return None
