r"""For programs with a terminal: how far processes are, as bars that move. Needs the extra ``cli``.

Example:
    >>> import io
    >>> from rich.console import Console
    >>> from fluxor_actors import Fluxor
    >>> from fluxor_actors.terminal import show_progress
    >>> console = Console(file=io.StringIO(), width=60)
    >>> with Fluxor() as engine:
    ...     workflow = engine.runtime.decode_yaml_workflow("name: greet\npipeline: {a: {action: nop:nop}, b: {action: nop:nop}}")
    ...     run = engine.runtime.start_process(workflow)
    ...     with show_progress(engine, run, console=console):
    ...         run.wait(timeout=10).state.value
    'completed'
    >>> "greet" in console.file.getvalue() and "2/2" in console.file.getvalue()
    True
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from fluxor_actors.errors import FluxorError

if TYPE_CHECKING:
    from rich.console import Console

    from fluxor_actors.actors.event_service import EventService
    from fluxor_actors.engine.handle import ProcessHandle
    from fluxor_actors.progress import Progress

__all__ = ["show_progress"]

_DETAILS = ("running", "pending", "skipped", "failed", "cancelled")


class Engine(Protocol):
    """What is needed of an engine."""

    @property
    def events(self) -> EventService: ...


@contextmanager
def show_progress(engine: Engine, *runs: ProcessHandle, console: Console | None = None) -> Iterator[Bars]:
    """Show a bar for each process, sub-workflows included, as long as the ``with`` lasts.

    A bar moves when something is committed. Its total grows as work becomes known: what a fan-out will run, or a sub-workflow, is not known before it begins. Of
    processes that another engine runs, it shows how far they are in the beginning and in the end.

    Args:
        engine: whose processes they are.
        runs: the processes.
        console: where to; None: standard output. One that is no terminal gets only the bars as they are in the end.

    Returns:
        The bars, for what else is to be printed: ``bars.console.print(…)`` prints above them.
    """
    bars = Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        TimeElapsedColumn(),
        console=console,
    )
    shown = [_Bar(bars, run) for run in runs]
    stops = [engine.events.subscribe(bar.move, process_id=bar.root_id, event_type="progress.changed") for bar in shown]
    try:
        with bars:
            for bar in shown:
                bar.move()
            try:
                yield bars
            finally:
                for bar in shown:
                    bar.move()
    finally:
        for stop in stops:
            stop()


class _Bar:
    """The bar of one process."""

    def __init__(self, bars: Bars, run: ProcessHandle) -> None:
        process = run.process()
        self.root_id = process.root_id or process.id
        self._run = run
        self._bars = bars
        self._lock = threading.Lock()
        self._task: TaskID = bars.add_task(process.workflow, total=None, detail="")

    def move(self, _event: Any = None) -> None:
        """Show how far it is now, whoever says that it has got on: what is shown never goes back."""
        with self._lock:
            try:
                progress = self._run.progress()
            except FluxorError:
                return  # the engine has stopped meanwhile, or the process is not kept any more
            ended = progress.total - progress.running - progress.pending
            self._bars.update(self._task, total=progress.total, completed=ended, detail=_detail(progress))


def _detail(progress: Progress) -> str:
    counts = ((getattr(progress, name), name) for name in _DETAILS)
    return ", ".join(f"{count} {name}" for count, name in counts if count)
