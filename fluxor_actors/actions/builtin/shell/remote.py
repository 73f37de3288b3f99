"""A shell on another host, over SSH."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import Any

from fluxor_actors.actions.builtin.shell.channel import is_readable
from fluxor_actors.actions.builtin.shell.credentials import Credentials
from fluxor_actors.errors import CommandError

__all__ = ["RemoteShell"]

_CHUNK = 65_536
_PATIENCE = 30.0
"""Seconds that a host may take to answer."""
_LAST_WORDS = 0.5
"""Seconds that output may take to arrive after the news of the shell's end."""


class RemoteShell:
    """Bash at the other end of a connection. The host must stand in the user's ``known_hosts``.

    Args:
        host: its name or address.
        port: where its SSH server listens.
        user: to log in as, unless the credentials say another name.
        credentials: how to log in.
        timeout: seconds that there are; None: as many as it takes.

    Raises:
        CommandError: it cannot be reached, is not the one that is known, or lets nobody in.
    """

    private = ""

    def __init__(
        self, host: str, port: int, user: str | None, credentials: Credentials, timeout: float | None = None
    ) -> None:
        try:
            import paramiko  # heavy, and an extra
        except ImportError as error:
            raise CommandError("ssh:// needs Paramiko: python -m pip install 'fluxor-actors[ssh]'") from error
        patience = _PATIENCE if timeout is None else max(0.1, min(timeout, _PATIENCE))
        self._client = client = paramiko.SSHClient()
        client.load_system_host_keys()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        told = credentials.password is not None or credentials.key_file is not None
        try:
            client.connect(
                host, port, credentials.username or user, credentials.password,
                key_filename=credentials.key_file, passphrase=credentials.passphrase,
                timeout=patience, banner_timeout=patience, auth_timeout=patience, channel_timeout=patience,
                allow_agent=not told, look_for_keys=not told,
            )  # fmt: skip
            self._channel = self._session()
            # Its number is that of the process group, too.
            self._channel.exec_command("echo $$; exec bash --noprofile --norc")
            self._leader = self._first_line(patience)
        except (OSError, EOFError, paramiko.SSHException, ValueError) as error:
            client.close()
            raise CommandError(f"ssh://{host}:{port}: {error or type(error).__name__}") from error
        self._ended, self._end = os.pipe()
        self._over = False
        self._closing = threading.Event()
        self._waiting = threading.Thread(target=self._wait, name="fluxor-ssh", daemon=True)
        self._waiting.start()

    def _session(self) -> Any:
        transport = self._client.get_transport()
        if transport is None:
            raise EOFError("the connection is closed")
        return transport.open_session(timeout=_PATIENCE)

    def _first_line(self, patience: float) -> int:
        line = b""
        deadline = time.monotonic() + patience
        while not line.endswith(b"\n"):
            self._channel.settimeout(max(0.1, deadline - time.monotonic()))
            data = self._channel.recv(1)
            if not data:
                raise EOFError("no shell was started")
            line += data
        self._channel.settimeout(None)
        return int(line)

    def _wait(self) -> None:
        # Something in the background may keep the streams open beyond the end of the shell.
        self._channel.status_event.wait()
        if not self._channel.eof_received:
            self._closing.wait(_LAST_WORDS)
        with contextlib.suppress(OSError):
            os.write(self._end, b"x")

    @property
    def streams(self) -> list[int]:
        return [] if self._over else [self._channel.fileno(), self._ended]

    def send(self, data: bytes) -> None:
        self._channel.sendall(data)

    def take(self) -> list[tuple[bool, bytes]]:
        channel = self._channel
        ended = is_readable(self._ended)
        taken: list[tuple[bool, bytes]] = []
        for is_error, ready, receive in (
            (False, channel.recv_ready, channel.recv),
            (True, channel.recv_stderr_ready, channel.recv_stderr),
        ):
            while ready():
                data = receive(_CHUNK)
                if data:
                    taken.append((is_error, data))
                if not ended:
                    break  # the other stream has its turn
        if ended and not taken:
            self._over = True
        return taken

    def stop(self, *, hard: bool) -> None:
        # Closing the channel would leave on the host what runs there.
        with contextlib.suppress(Exception):  # the connection may be lost; there is nobody else to tell
            killing = self._session()
            killing.settimeout(2.0)
            name = "KILL" if hard else "TERM"
            # Also what has a process group of its own, as all that `timeout` runs.
            killing.exec_command(f"pkill -{name} -s {self._leader}; kill -s {name} -- -{self._leader}")
            killing.status_event.wait(2.0)
            killing.close()

    def close(self) -> int | None:
        over = self._over
        status: int | None = self._channel.recv_exit_status() if over else None
        self._closing.set()
        self.stop(hard=True)
        self._channel.close()
        self._client.close()
        self._waiting.join(_PATIENCE)
        os.close(self._ended)
        os.close(self._end)
        return None if status is None or status < 0 else status
