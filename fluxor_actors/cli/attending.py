"""The approval requests of a run: put to whoever sits at the terminal, or told of, for whoever answers from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import Any

from attrs import frozen

from fluxor_actors.approval import Request, authorise
from fluxor_actors.cli.approval_text import arguments_text
from fluxor_actors.cli.keyboard import Keyboard, Typed
from fluxor_actors.cli.questioning import Questions
from fluxor_actors.cli.resting import at_rest
from fluxor_actors.cli.text import printable
from fluxor_actors.cli.views import View
from fluxor_actors.engine import Fluxor
from fluxor_actors.errors import AwaitTimeoutError, InvalidStateError, NotAuthorizedError, NotFoundError

__all__ = ["Asked", "Attendant", "Settled"]

_MOST_TOLD = 20
# By how much the clocks of those who share a store may differ.
_SKEW = timedelta(minutes=5)


@frozen
class Asked:
    """Put into the inbox for each request of the run."""

    request: Request


@frozen
class Settled:
    """Put into the inbox when a request has its answer, or needs none any more."""

    id: str


class Attendant:
    """Knows the requests of one run that wait for an answer, and sees to it that they get one.

    Args:
        engine: of this program.
        inbox: of whoever follows the run, who hands on `Asked`, `Settled` and `Typed`.
        view: shows what there is to show.
        by: in whose name what is typed is decided.
        keyboard: of whoever sits at the terminal; None: nobody does.
        store: what names the store to ``fluxor approve``.
        deaf: while it lasts, Ctrl-C is an editor's business.
    """

    def __init__(
        self,
        engine: Fluxor,
        inbox: SimpleQueue[Any],
        view: View,
        *,
        by: str | None,
        keyboard: Keyboard | None = None,
        store: str = "",
        deaf: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._engine = engine
        self._inbox = inbox
        self._view = view
        self._by = by
        self._store = store
        self._process_id = ""
        self._since = datetime.min.replace(tzinfo=UTC)
        # Whether each process that has asked belongs to the run.
        self._family: dict[str, bool] = {}
        self._waiting: dict[str, Request] = {}
        self._told = 0
        self._questions: Questions | None = None
        if keyboard is not None:
            self._questions = Questions(
                self._waiting, engine.approvals, by, view, keyboard, deaf=deaf, leave=self._tell
            )
        self._stop: Callable[[], None] = lambda: None

    def begin(self, process_id: str) -> None:
        """Hear of the requests of this process and its sub-workflows from now on, those that wait already included."""
        self._process_id = process_id
        self._family[process_id] = True
        begun = self._engine.runtime.process(process_id).created_at
        if begun is not None:
            self._since = begun - _SKEW
        # It leaves every request to others, and is only told of them.
        self._stop = self._engine.approvals.auto_decider(self._offered)

    def close(self) -> None:
        """Ask no more, and leave the terminal to others. Idempotent."""
        self._stop()
        if self._questions is not None:
            self._questions.close()

    def take(self, message: Asked | Settled | Typed) -> None:
        """Take in what has happened."""
        if isinstance(message, Asked):
            self._asked(message.request)
        elif isinstance(message, Settled):
            request = self._waiting.pop(message.id, None)
            if request is not None and self._questions is not None:
                self._questions.settled(request)
        elif self._questions is not None and message.line is not None:
            self._questions.typed(message.line)
        elif self._questions is not None:
            # Ctrl-D: nobody sits there any more.
            left, self._questions = self._questions.close(), None
            for request in left:
                self._tell(request)

    def waiting(self) -> list[str]:
        """The ids of all requests that wait for an answer, in the order in which they were made."""
        return list(self._waiting)

    @property
    def wanting(self) -> bool:
        """Whether requests wait, and nobody is here."""
        return self._questions is None and bool(self._waiting)

    def at_rest(self) -> bool:
        """Whether the run does nothing until somebody who is not here answers."""
        return self.wanting and at_rest(self._engine, self._process_id)

    def how_to_answer(self) -> str:
        """The command that answers."""
        waiting = list(self._waiting)
        if len(waiting) == 1:
            return f"fluxor approve {waiting[0]}{self._store}, or reject"
        return f"fluxor approve ID{self._store}, or reject (fluxor approvals{self._store} lists all {len(waiting)})"

    def _offered(self, request: Request) -> None:
        """Called on a thread of its own, with the requests of all processes on the store."""
        if request.created_at >= self._since and self._is_own(request.process_id):
            self._inbox.put(Asked(request))

    def _is_own(self, process_id: str) -> bool:
        own = self._family.get(process_id)
        if own is None:
            try:
                own = self._engine.runtime.process(process_id).root_id == self._process_id
            except NotFoundError:
                own = False
            self._family[process_id] = own
        return own

    def _asked(self, request: Request) -> None:
        if request.id in self._waiting:
            return
        future = self._engine.approvals.desk.watch(request.id)
        future.add_done_callback(lambda _: self._inbox.put(Settled(request.id)))
        if not self._pending(request.id):
            return
        self._waiting[request.id] = request
        if self._questions is None:
            self._tell(request)
        elif self._may_decide(request):
            self._questions.ask()
        else:
            self._questions.skip(request)
            self._tell(request)

    def _pending(self, request_id: str) -> bool:
        try:
            self._engine.approvals.wait_for_decision(request_id, timeout=0)
        except TimeoutError:
            return True
        except (AwaitTimeoutError, InvalidStateError, NotFoundError):
            return False
        return False

    def _may_decide(self, request: Request) -> bool:
        try:
            authorise(request, self._by)
        except NotAuthorizedError:
            return False
        return True

    def _tell(self, request: Request) -> None:
        """Say that a request waits for somebody who is not here."""
        self._told += 1
        if self._told > _MOST_TOLD:
            return
        task = request.meta.get("task") or request.execution_id
        people = ", ".join(request.meta.get("approvers") or ())
        by = f" by {people}" if people else ""
        what = f"{request.action} {arguments_text(request.args)}".rstrip()
        self._view.say(printable(f"{'waiting':<9}  {task}  for approval{by}, request {request.id}: {what}"))
        if self._told == _MOST_TOLD:
            self._view.say("further requests are not shown; `fluxor approvals` lists all")
