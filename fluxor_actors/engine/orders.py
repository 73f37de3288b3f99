"""Commands to processes as text, for programs that reach each other through a store."""

from __future__ import annotations

import json
from typing import Any

from fluxor_actors.errors import (
    AlreadyDecidedError,
    ApprovalNotFoundError,
    FluxorError,
    InputError,
    InvalidStateError,
    NotAuthorizedError,
    StoreError,
)
from fluxor_actors.process.commands import (
    Cancel,
    Command,
    Decide,
    EmitTasks,
    Pause,
    Resume,
    ResumeExecution,
    ResumeFailed,
    Signal,
    Steer,
)
from fluxor_actors.process.states import ProcessState

__all__ = ["answer_of", "order_of", "read_answer", "read_order", "refusal_of"]

_NAMES: dict[type, str] = {
    Pause: "pause",
    Resume: "resume",
    Cancel: "cancel",
    ResumeFailed: "resume_failed",
    Signal: "signal",
    Steer: "steer",
    Decide: "decide",
    EmitTasks: "emit_executions",
    ResumeExecution: "resume_execution",
}
_REFUSALS = {kind.__name__: kind for kind in (AlreadyDecidedError, InputError, NotAuthorizedError)}


def order_of(command: Command) -> tuple[str, str]:
    """The name and the payload of a command.

    Example:
        >>> order_of(Cancel("too late"))
        ('cancel', '{"reason": "too late"}')
    """
    payload: dict[str, Any] = {}
    if isinstance(command, Cancel):
        payload = {"reason": command.reason}
    elif isinstance(command, Signal):
        payload = {"name": command.name, "value": command.value}
    elif isinstance(command, Steer):
        payload = {"values": dict(command.values)}
    elif isinstance(command, Decide):
        payload = {
            "request": command.request,
            "approved": command.approved,
            "reason": command.reason,
            "by": command.decided_by,
            "args": command.args,
        }
    elif isinstance(command, ResumeExecution):
        payload = {"run": command.run, "value": command.value}
    elif isinstance(command, EmitTasks):
        payload = {
            "run": command.run,
            "as": command.as_,
            "definitions": command.definitions,
            "items": command.items,
            "kinds": command.kinds,
            "name": command.name,
        }
    return _NAMES[type(command)], json.dumps(payload)


def read_order(name: str, payload: str) -> Command:
    """The command that a name and a payload stand for.

    Raises:
        StoreError: there is no such command; a newer program may have sent it.
    """
    given = json.loads(payload)
    commands: dict[str, Any] = {
        "pause": Pause,
        "resume": Resume,
        "cancel": lambda: Cancel(given["reason"]),
        "resume_failed": ResumeFailed,
        "signal": lambda: Signal(given["name"], given["value"]),
        "steer": lambda: Steer(given["values"]),
        "decide": lambda: Decide(given["request"], given["approved"], given["reason"], given["by"], given["args"]),
        "emit_executions": lambda: _emission(given),
        "resume_execution": lambda: ResumeExecution(given["run"], given["value"]),
    }
    if name not in commands:
        raise StoreError(f"a command {name!r} is not known here; known are {', '.join(commands)}")
    command: Command = commands[name]()
    return command


def _emission(given: dict[str, Any]) -> EmitTasks:
    kinds = None if given["kinds"] is None else tuple(given["kinds"])
    return EmitTasks(
        given["run"], given["as"], tuple(given["definitions"]), tuple(given["items"]), kinds, name=given["name"]
    )


def answer_of(state: ProcessState) -> str:
    """That a command was applied, and the state after it."""
    return json.dumps({"state": str(state)})


def refusal_of(error: BaseException) -> str:
    """That a command was refused, and why."""
    refusal: dict[str, Any] = {"error": type(error).__name__, "message": str(error)}
    if isinstance(error, InvalidStateError):
        refusal |= {"operation": error.operation, "state": error.state, "legal": list(error.legal)}
    elif isinstance(error, ApprovalNotFoundError):
        refusal["name"] = error.name
    return json.dumps({"refused": refusal})


def read_answer(text: str) -> ProcessState:
    """The state that an answer tells.

    Raises:
        InvalidStateError: the command was not possible.
        AlreadyDecidedError: it was an answer to what is decided.
        NotAuthorizedError: it was an answer by somebody who may not decide.
        FluxorError: it was refused for another reason.
    """
    answer = json.loads(text)
    refused = answer.get("refused")
    if refused is None:
        return ProcessState(answer["state"])
    if refused["error"] == InvalidStateError.__name__:
        raise InvalidStateError(refused["operation"], refused["state"], refused["legal"])
    if refused["error"] == ApprovalNotFoundError.__name__:
        raise ApprovalNotFoundError(refused["name"])
    if refused["error"] in _REFUSALS:
        raise _REFUSALS[refused["error"]](refused["message"])
    raise FluxorError(f"{refused['error']}: {refused['message']}")
