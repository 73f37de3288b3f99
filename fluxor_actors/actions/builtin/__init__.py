"""The services that every engine has, one file each. They may import the rest of `fluxor_actors.actions` and what it may."""

from __future__ import annotations

from fluxor_actors.actions.builtin.http import HttpService
from fluxor_actors.actions.builtin.nop import Nop
from fluxor_actors.actions.builtin.patch import PatchService
from fluxor_actors.actions.builtin.printer import Printer
from fluxor_actors.actions.builtin.shell import ExecService
from fluxor_actors.actions.builtin.storage import StorageService
from fluxor_actors.actions.builtin.workflow import WorkflowHost, WorkflowService

__all__ = [
    "ExecService",
    "HttpService",
    "Nop",
    "PatchService",
    "Printer",
    "StorageService",
    "WorkflowHost",
    "WorkflowService",
]
