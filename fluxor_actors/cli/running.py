"""One run from its start to its end: a new process, or one that is there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from typing import Any

from attrs import frozen

from fluxor_actors.actors.event_service import EventService
from fluxor_actors.cli.attending import Attendant
from fluxor_actors.cli.exits import ExitCode
from fluxor_actors.cli.following import Follower, Paused
from fluxor_actors.cli.interrupts import Interrupts
from fluxor_actors.cli.keyboard import keyboard_of
from fluxor_actors.cli.runnable import check_runnable
from fluxor_actors.cli.text import printable, took
from fluxor_actors.cli.views import View
from fluxor_actors.cli.views.view import EVENT_TYPES
from fluxor_actors.definition import Workflow
from fluxor_actors.engine import Fluxor, ProcessHandle
from fluxor_actors.errors import ProcessNotFoundError
from fluxor_actors.process.snapshot import ProcessOutput
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage.durable import DurableStore

__all__ = ["Ended", "Request", "carry_out", "summary"]

# What is left at the end has lost its attempt before: nobody waits for it.
_LAST_MOMENT = 1.0


@frozen
class Request:
    """What is to be run.

    Attributes:
        timeout: in seconds.
        store: where the process is kept; None: in memory only.
        again: the command line that goes on with a process of that id.
        policy: which actions may run, beside what the document says.
        by: in whose name requests are answered at the terminal.
        named: what names the store to other commands.
    """

    workflow: Workflow
    inputs: Mapping[str, Any]
    tasks: Sequence[str] = ()
    process_id: str | None = None
    timeout: float | None = None
    store: DurableStore | None = None
    again: str = ""
    policy: str | None = None
    by: str | None = None
    named: str = ""


@frozen
class Ended:
    """How it ended.

    Attributes:
        left: executions whose actions have not returned.
        kept: it may go on later.
        waiting: the approval requests that it waits for, in order.
    """

    output: ProcessOutput
    code: ExitCode
    left: tuple[str, ...] = ()
    kept: bool = False
    waiting: tuple[str, ...] = ()


def carry_out(engine: Fluxor, events: EventService, request: Request, view: View) -> Ended:
    """Run it, show it, and shut the engine down.

    Raises:
        FluxorError: it cannot start.
        UsageProblem: it is there already, and cannot go on here.
    """
    inbox: SimpleQueue[Any] = SimpleQueue()
    shown = events.subscribe(view.take, event_type=EVENT_TYPES)
    events.subscribe(lambda event: inbox.put(Paused(event.context.process_id)), event_type="process.paused")
    left: tuple[str, ...] = ()
    with Interrupts(inbox, view.restore) as interrupts:
        attendant = Attendant(
            engine,
            inbox,
            view,
            by=request.by,
            keyboard=keyboard_of(inbox),
            store=request.named,
            deaf=interrupts.deaf,
        )
        try:
            handle, own = _begin(engine, request, view)
            view.start()
            try:
                again = request.again.format(id=handle.id)
                follower = Follower(engine, handle, inbox, view, request.store, again, attendant)
                output, code = follower.follow(request.timeout, own=own)
                waiting = tuple(attendant.waiting()) if request.store is not None else ()
                attendant.close()
                left = engine.shutdown(_LAST_MOMENT)
                events.shutdown()
            finally:
                attendant.close()
                view.finish()
        finally:
            engine.shutdown(_LAST_MOMENT)
            events.shutdown()
    if shown.dropped:
        view.say(f"{shown.dropped} events came too fast to be shown")
    return Ended(output, code, left, request.store is not None, () if output.state.final else waiting)


def _begin(engine: Fluxor, request: Request, view: View) -> tuple[ProcessHandle, bool]:
    """Start the process, or join it. With whether this program runs it."""
    if request.process_id is not None:
        try:
            return _join(engine, engine.runtime.handle(request.process_id), request, view)
        except ProcessNotFoundError:
            pass
    handle = engine.runtime.start_process(
        request.workflow, request.inputs, *request.tasks, policy=request.policy, process_id=request.process_id
    )
    # Somebody else may have started it under this id at the same time.
    own = request.process_id is None or engine.runtime.take_over(handle.id)
    return handle, own


def _join(engine: Fluxor, handle: ProcessHandle, request: Request, view: View) -> tuple[ProcessHandle, bool]:
    assert request.store is not None
    header = request.store.header(handle.id)
    if header is not None and header.workflow != request.workflow.name:
        view.say(
            f"{handle.id} is a process of {header.workflow}, not of {request.workflow.name}: give another --id to run that"
        )
    if header is not None and request.store.owner_of(handle.id) is None:
        check_runnable(engine, request.store, [header])
    view.recall(handle.executions())
    own = engine.runtime.take_over(handle.id)
    state = handle.process().state
    if own and state in (ProcessState.PAUSED, ProcessState.PAUSE_REQUESTED):
        state = handle.resume()
    if not state.final:
        view.say(f"going on with {handle.id}" if own else f"{handle.id} is run by another program: following it")
    return handle, own


def summary(ended: Ended, workflow: str) -> list[str]:
    """The last lines: how it ended, and every error."""
    output = ended.output
    paused = ended.kept and output.state is ProcessState.PAUSED
    state = output.state if output.state.final or paused else "unfinished"
    lines = [f"{state:<9}  {printable(workflow)}  {took(output.time_taken)}"]
    for task, text in output.errors.items():
        first, *more = text.strip().splitlines() or [""]
        lines.append(f"  {printable(task)}: {printable(first)}")
        lines.extend(f"    {printable(line)}" for line in more)
    lines.extend(f"  {printable(execution)} has not returned, and is left behind" for execution in ended.left)
    return lines
