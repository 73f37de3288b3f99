"""Plain lines for logs and pipes: one for each task that ends, is tried again or waits. Never wrapped, cut or coloured."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from typing import Any

from attrs import define

from fluxor_actors.cli.text import first_line, printable, took
from fluxor_actors.cli.views.names import fan_outs, is_item, row_key, run_id
from fluxor_actors.events import Event
from fluxor_actors.process.snapshot import Execution
from fluxor_actors.process.states import ExecutionState

__all__ = ["Lines"]

_MANY = 50
_WORDS = {
    "execution.completed": "completed",
    "execution.failed": "failed",
    "execution.skipped": "skipped",
    "execution.cancelled": "cancelled",
    "execution.retrying": "retrying",
    "execution.waiting": "waiting",
}


@define
class _Many:
    """A fan-out of so many items that only every tenth part of it has a line."""

    total: int
    ended: int = 0
    told: int = 0


class Lines:
    """The view for whatever is not a terminal."""

    def __init__(self) -> None:
        self._many: dict[tuple[str, str], _Many] = {}
        self._root = ""
        self._lock = threading.Lock()
        # What comes while somebody types an answer; None: nobody does.
        self._held: list[str] | None = None

    def start(self) -> None:
        """Nothing to begin."""

    def take(self, event: Event[Any]) -> None:
        execution, kind = event.data, event.context.event_type
        self._root = self._root or execution.process_id
        run = run_id(execution)
        key = row_key(run)
        if kind == "execution.expanded":
            self._expanded(execution.process_id, key, event.metadata["items"])
            return
        word = _WORDS.get(kind)
        # How the whole has ended is said at its end.
        if word is None or ("/" not in run and execution.process_id == self._root):
            return
        if kind == "execution.waiting" and execution.state not in (
            ExecutionState.WAIT_ASYNC, ExecutionState.WAIT_FOR_DEPENDENCIES,
        ):  # fmt: skip
            return
        if self._many and self._one_of_many(execution, key, kind):
            return
        self._write(word, run, _detail(kind, execution, event.context.time_taken_ms))

    def recall(self, executions: Iterable[Execution]) -> None:
        """What was before had its lines then."""

    def say(self, line: str) -> None:
        with self._lock:
            if self._held is None:
                print(line, file=sys.stderr, flush=True)
            else:
                self._held.append(line)

    def ask(self, text: str) -> None:
        with self._lock:
            if self._held is None:
                self._held = []
            sys.stderr.write(text)
            sys.stderr.flush()

    def answered(self) -> None:
        with self._lock:
            held, self._held = self._held or [], None
            for line in held:
                print(line, file=sys.stderr, flush=True)

    def finish(self) -> None:
        self.answered()

    def restore(self) -> None:
        """Nothing was changed."""

    def _expanded(self, process: str, key: str, items: int) -> None:
        self._many.pop((process, key), None)
        if items > _MANY:
            self._many[process, key] = _Many(items)

    def _one_of_many(self, execution: Execution, key: str, kind: str) -> bool:
        """Whether it has no line of its own; those that fail have one."""
        fan_out = next(
            ((fan, self._many[at]) for fan in fan_outs(key) if (at := (execution.process_id, fan)) in self._many), None
        )
        if fan_out is None:
            return False
        name, many = fan_out
        if is_item(key) and execution.state.final:
            many.ended += 1
            if many.ended * 10 // many.total > many.told:
                many.told = many.ended * 10 // many.total
                self._write("progress", name, f"{many.ended}/{many.total}")
        return kind != "execution.failed"

    def _write(self, word: str, run: str, detail: str) -> None:
        line = f"{word:<9}  {printable(run)}"
        self.say(f"{line}  {detail}" if detail else line)


def _detail(kind: str, execution: Execution, milliseconds: int) -> str:
    error = first_line(execution.error or "")
    if kind == "execution.retrying":
        return f"attempt {execution.attempt} failed: {error}"
    if kind == "execution.failed":
        return f"{took(milliseconds / 1000)}  {error}"
    if kind == "execution.completed":
        return took(milliseconds / 1000)
    if kind == "execution.waiting":
        return "for what it depends on" if execution.state is ExecutionState.WAIT_FOR_DEPENDENCIES else ""
    return ""
