"""``system/exec``: commands in one shell session, here or over SSH.

A `Channel` is a shell with its three streams (`local`, `remote`); a `Session` runs one command after the other in it, and knows where the output of
each ends. Imports what `fluxor_actors.actions` may; Paramiko is loaded with the first remote host.
"""

from __future__ import annotations

from fluxor_actors.actions.builtin.shell.service import ExecService

__all__ = ["ExecService"]
