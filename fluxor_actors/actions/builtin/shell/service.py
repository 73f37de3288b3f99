"""The service ``system/exec``, also known as ``system/executor``."""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from fluxor_actors.actions.builtin.shell.channel import Channel
from fluxor_actors.actions.builtin.shell.credentials import Credentials
from fluxor_actors.actions.builtin.shell.session import Session
from fluxor_actors.actions.context import ActionContext
from fluxor_actors.actions.decorators import method
from fluxor_actors.errors import ActionInputError, CommandError

__all__ = ["ExecInput", "ExecService", "Host"]

_SHOWN = 500
"""How many characters of its output an error tells of a command."""


@frozen(kw_only=True)
class Host:
    """Where commands run: ``bash://localhost/`` or ``ssh://user@host:port/``."""

    url: str = "bash://localhost/"
    credentials: Credentials | None = None


def _positive(_instance: object, _attribute: object, value: float | None) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"timeoutMs is a number of milliseconds above 0, not {value}")


@frozen(kw_only=True)
class ExecInput:
    """Input of ``system/exec:execute``."""

    commands: list[str] | str
    host: Host = field(factory=Host)
    workdir: str | None = None
    env: dict[str, str] = field(factory=dict)
    timeout_ms: float | None = field(default=None, validator=_positive)
    abort_on_error: bool = False


class ExecService:
    """Runs commands in a shell. ``name``: the service has two."""

    def __init__(self, name: str = "system/exec") -> None:
        self.name = name

    @method
    def execute(self, request: ExecInput, context: ActionContext) -> dict[str, Any]:
        """Run commands in one shell session: what one sets, the next one sees."""
        commands = [request.commands] if isinstance(request.commands, str) else request.commands
        deadline = None if request.timeout_ms is None else time.monotonic() + request.timeout_ms / 1000
        for name, value in request.env.items():
            if not name or "=" in name or "\0" in name or "\0" in value:
                raise ActionInputError(
                    f"{self.name}:execute", [f"not the name or value of a variable @ $.env.{name!r}"]
                )
        channel, preparation = self._open(request, deadline)
        try:
            session = Session(channel, deadline, context.heartbeat)
        except BaseException:
            channel.close()
            raise
        with contextlib.closing(session):
            context.cancellation.on_cancel(session.cancel)
            session.open(preparation)
            return self._run(session, commands, request)

    def _open(self, request: ExecInput, deadline: float | None) -> tuple[Channel, str]:
        url = urlsplit(request.host.url)
        if url.scheme == "bash" and url.hostname in (None, "localhost"):
            if os.name != "posix":
                raise CommandError("commands run in a POSIX shell, which this system does not have")
            from fluxor_actors.actions.builtin.shell.local import LocalShell  # of POSIX systems only

            return LocalShell(request.workdir, request.env), ""
        if url.scheme != "ssh" or not url.hostname:
            problem = (
                f"found {request.host.url!r:.200}; expected bash://localhost/ or ssh://user@host:port/ @ $.host.url"
            )
            raise ActionInputError(f"{self.name}:execute", [problem])
        from fluxor_actors.actions.builtin.shell.remote import RemoteShell  # loads Paramiko

        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in request.env.items()]
        if request.workdir is not None:
            lines.append(f"cd -- {shlex.quote(request.workdir)} || exit 1\n")
        credentials = request.host.credentials or Credentials()
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        return RemoteShell(url.hostname, url.port or 22, url.username, credentials, timeout), "".join(lines)

    def _run(self, session: Session, commands: list[str], request: ExecInput) -> dict[str, Any]:
        done: list[dict[str, Any]] = []
        status = 0
        for command in commands:
            ran = session.run(command)
            done.append({"input": command, "output": ran.stdout, "stderr": ran.stderr, "status": ran.status})
            status = status or ran.status
            if ran.status and request.abort_on_error:
                said = (ran.stderr.strip() or ran.stdout.strip())[-_SHOWN:]
                raise CommandError(
                    f"command {len(done)} of {len(commands)} ended with status {ran.status}"
                    + (f": {said}" if said else ""),
                    status=ran.status,
                )
            if ran.over:
                break
        return {"commands": done, "stdout": session.stdout.text(), "stderr": session.stderr.text(), "status": status}
