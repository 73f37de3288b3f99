"""An SSH server on a port of its own, that gives whoever knows the password a shell."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
from typing import Any, Self

import paramiko

PASSWORD = "open sesame"


class _Rules(paramiko.ServerInterface):  # type: ignore[misc]  # has no types
    def __init__(self, server: SshServer) -> None:
        self._server = server

    def check_auth_password(self, username: str, password: str) -> int:
        right = username == "ada" and password == PASSWORD
        return int(paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED)

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)

    def check_channel_exec_request(self, channel: Any, command: bytes) -> bool:
        threading.Thread(target=self._server.carry_out, args=(channel, command.decode()), daemon=True).start()
        return True


class SshServer:
    """Serves until it is closed."""

    def __init__(self) -> None:
        self.key = paramiko.RSAKey.generate(2048)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._transports: list[Any] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def known_hosts(self) -> str:
        """The line of ``known_hosts`` for it."""
        return f"[127.0.0.1]:{self.port} {self.key.get_name()} {self.key.get_base64()}\n"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.key)
            self._transports.append(transport)
            with contextlib.suppress(Exception):  # a client that does not like the key goes away
                transport.start_server(server=_Rules(self))

    def carry_out(self, channel: Any, command: str) -> None:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin
        assert process.stdout
        assert process.stderr
        threads = [
            threading.Thread(target=self._out, args=(process.stdout, channel.sendall), daemon=True),
            threading.Thread(target=self._out, args=(process.stderr, channel.sendall_stderr), daemon=True),
            threading.Thread(target=self._in, args=(channel, process.stdin), daemon=True),
        ]
        for thread in threads:
            thread.start()
        status = process.wait()
        with contextlib.suppress(OSError):
            channel.send_exit_status(status if status >= 0 else 128 - status)
        for thread in threads[:2]:
            thread.join()
        channel.close()
        threads[2].join()
        for stream in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError):
                stream.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    @staticmethod
    def _out(stream: Any, send: Any) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(stream.fileno(), 65_536):
                send(data)

    @staticmethod
    def _in(channel: Any, stream: Any) -> None:
        with contextlib.suppress(OSError):
            while data := channel.recv(65_536):
                stream.write(data)
                stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)
        for transport in self._transports:
            transport.close()
