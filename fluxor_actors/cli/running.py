"""One run from its start to its end: by itself, by the clock, or by Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from attrs import evolve, frozen

from fluxor_actors.actors.event_service import EventService
from fluxor_actors.cli.exits import ExitCode
from fluxor_actors.cli.interrupts import Interrupted, Interrupts
from fluxor_actors.cli.text import printable, took
from fluxor_actors.cli.views import View
from fluxor_actors.cli.views.view import EVENT_TYPES
from fluxor_actors.definition import Workflow
from fluxor_actors.engine import Fluxor, ProcessHandle
from fluxor_actors.process.snapshot import ProcessOutput
from fluxor_actors.process.states import ProcessState

__all__ = ["Ended", "Request", "carry_out", "summary"]

_CODES = {
    ProcessState.COMPLETED: ExitCode.COMPLETED,
    ProcessState.FAILED: ExitCode.FAILED,
    ProcessState.CANCELLED: ExitCode.CANCELLED,
}
# What is left at the end has lost its attempt before: nobody waits for it.
_LAST_MOMENT = 1.0


@frozen
class Request:
    """What is to be run. ``timeout`` in seconds."""

    workflow: Workflow
    inputs: Mapping[str, Any]
    tasks: Sequence[str] = ()
    process_id: str | None = None
    timeout: float | None = None


@frozen
class Ended:
    """How it ended. ``left``: executions whose actions have not returned."""

    output: ProcessOutput
    code: ExitCode
    left: tuple[str, ...] = ()


class _Paused:
    """Put into the inbox when the process is paused."""


def carry_out(engine: Fluxor, events: EventService, request: Request, view: View) -> Ended:
    """Run it, show it, and shut the engine down.

    Raises:
        FluxorError: it cannot start.
    """
    inbox: SimpleQueue[Any] = SimpleQueue()
    shown = events.subscribe(view.take, event_type=EVENT_TYPES)
    events.subscribe(lambda _event: inbox.put(_Paused()), event_type="process.paused")
    left: tuple[str, ...] = ()
    with Interrupts(inbox, view.restore):
        try:
            handle = engine.runtime.start_process(
                request.workflow, request.inputs, *request.tasks, process_id=request.process_id
            )
            view.start()
            try:
                output, code = _follow(handle, inbox, request, view, engine.config.cancel_grace)
                left = engine.shutdown(_LAST_MOMENT)
                events.shutdown()
            finally:
                view.finish()
        finally:
            engine.shutdown(_LAST_MOMENT)
            events.shutdown()
    if shown.dropped:
        view.say(f"{shown.dropped} events came too fast to be shown")
    return Ended(output, code, left)


def _follow(
    handle: ProcessHandle, inbox: SimpleQueue[Any], request: Request, view: View, grace: float
) -> tuple[ProcessOutput, ExitCode]:
    """Wait for the end, or for what comes first."""
    threading.Thread(target=_wait, args=(handle, inbox), name="fluxor-wait", daemon=True).start()
    begun = time.monotonic()
    deadline = None if request.timeout is None else begun + request.timeout
    code: ExitCode | None = None
    before: ProcessOutput | None = None
    while True:
        try:
            message = inbox.get(timeout=None if deadline is None else max(0.0, deadline - time.monotonic()))
        except Empty:
            if before is not None:
                return before, ExitCode.UNFINISHED
            before, code = _so_far(handle, begun), ExitCode.UNFINISHED
            view.say(
                f"not finished after {took(request.timeout or 0)}: cancelling; in memory only, it cannot go on later"
            )
            deadline = time.monotonic() + grace
            _cancel(handle, "the time is up")
            continue
        if isinstance(message, ProcessOutput):
            return before or message, code if code is not None else _CODES[message.state]
        if isinstance(message, BaseException):
            raise message
        if isinstance(message, Interrupted):
            name = "Ctrl-C" if message.number == signal.SIGINT else "SIGTERM"
            code = ExitCode(128 + message.number)
            before, deadline = None, None
            view.say(f"{name}: cancelling; again stops at once. In memory only: it cannot go on later")
            _cancel(handle, "interrupted")
        elif code is None:
            before, code = _so_far(handle, begun), ExitCode.UNFINISHED
            view.say("paused, and nobody can resume what is kept in memory only: cancelling")
            deadline = time.monotonic() + grace
            _cancel(handle, "paused for good")


def _so_far(handle: ProcessHandle, begun: float) -> ProcessOutput:
    """What is there of a process that has not ended, and how long it has run."""
    return evolve(handle.wait(0), time_taken=time.monotonic() - begun)


def _wait(handle: ProcessHandle, inbox: SimpleQueue[Any]) -> None:
    try:
        inbox.put(handle.wait())
    except BaseException as error:  # whoever follows the run raises it
        inbox.put(error)


def _cancel(handle: ProcessHandle, reason: str) -> None:
    if not handle.process().state.final:
        handle.cancel(reason)


def summary(ended: Ended, workflow: Workflow) -> list[str]:
    """The last lines: how it ended, and every error."""
    output = ended.output
    state = output.state if output.state.final else "unfinished"
    lines = [f"{state:<9}  {printable(workflow.name)}  {took(output.time_taken)}"]
    for task, text in output.errors.items():
        first, *more = text.strip().splitlines() or [""]
        lines.append(f"  {printable(task)}: {printable(first)}")
        lines.extend(f"    {printable(line)}" for line in more)
    lines.extend(f"  {printable(execution)} has not returned, and is left behind" for execution in ended.left)
    return lines
