"""The approval requests of a run: put to whoever sits at the terminal, or told of, for whoever answers from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from queue import SimpleQueue
from typing import Any

from attrs import frozen

from fluxor_actors.approval import Request, authorise
from fluxor_actors.cli.approval_text import arguments_text
from fluxor_actors.cli.arguments import edit_arguments
from fluxor_actors.cli.dialogue import Answer, Dialogue, Edit, Leave
from fluxor_actors.cli.failing import UsageProblem, describe
from fluxor_actors.cli.keyboard import Keyboard, Typed
from fluxor_actors.cli.text import printable
from fluxor_actors.cli.views import View
from fluxor_actors.engine import Fluxor
from fluxor_actors.errors import (
    AlreadyDecidedError,
    AwaitTimeoutError,
    FluxorError,
    InputError,
    InvalidStateError,
    NotAuthorizedError,
    NotFoundError,
    StoreUnavailableError,
    UnrepresentableError,
)
from fluxor_actors.process.explanation import Cause, Explanation

__all__ = ["Asked", "Attendant", "Settled"]

_MOST_TOLD = 20
_MOVING = frozenset({Cause.ACTION, Cause.LIMIT, Cause.RETRY, Cause.TIMER, Cause.TURN, Cause.WORKER})


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
        view: shows the questions.
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
        self._keyboard = keyboard
        self._store = store
        self._deaf = deaf
        self._process_id = ""
        # Whether each process that has asked belongs to the run.
        self._family: dict[str, bool] = {}
        self._waiting: dict[str, Request] = {}
        self._left: set[str] = set()
        self._told = 0
        self._question: Dialogue | None = None
        # Whether the cursor stands behind a question.
        self._open_line = False
        self._stop: Callable[[], None] = lambda: None

    def begin(self, process_id: str) -> None:
        """Hear of the requests of this process and its sub-workflows from now on, those that wait already included."""
        self._process_id = process_id
        self._family[process_id] = True
        # It leaves every request to others, and is only told of them.
        self._stop = self._engine.approvals.auto_decider(self._offered)

    def close(self) -> None:
        """Ask no more, and leave the terminal to others. Idempotent."""
        self._stop()
        if self._keyboard is not None:
            self._keyboard.close()
        if self._question is not None:
            self._question = None
            self._end_line()
            self._view.answered()

    def take(self, message: Asked | Settled | Typed) -> None:
        """Take in what has happened."""
        if isinstance(message, Asked):
            self._asked(message.request)
        elif isinstance(message, Settled):
            self._settled(message.id)
        elif self._question is not None:
            self._typed(self._question, message.line)

    def waiting(self) -> list[str]:
        """The ids of all requests that wait for an answer, in the order in which they were made."""
        return list(self._waiting)

    def wanting(self) -> list[Request]:
        """The requests that wait for somebody who is not here."""
        return [] if self._keyboard is not None else list(self._waiting.values())

    def at_rest(self) -> bool:
        """Whether the run does nothing until somebody who is not here answers."""
        if not self.wanting() or self._engine.runtime.progress(self._process_id).running:
            return False
        explanation = self._engine.runtime.explain(self._process_id)
        return not explanation.state.final and not _moving(explanation)

    def how_to_answer(self) -> str:
        """The command that answers."""
        waiting = list(self._waiting)
        if len(waiting) == 1:
            return f"fluxor approve {waiting[0]}{self._store}, or reject"
        return f"fluxor approve ID{self._store}, or reject (fluxor approvals{self._store} lists all {len(waiting)})"

    # What has happened ---------------------------------------------------------------------------------------------------

    def _offered(self, request: Request) -> None:
        """Called on a thread of its own."""
        if self._is_own(request.process_id):
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
        if self._keyboard is None or not self._may_decide(request):
            self._left.add(request.id)
            self._tell(request)
        elif self._question is None:
            self._next()

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

    def _settled(self, request_id: str) -> None:
        request = self._waiting.pop(request_id, None)
        self._left.discard(request_id)
        if request is not None and self._question is not None and self._question.request.id == request_id:
            self._end_line()
            self._view.say(printable(f"{request.action} was answered elsewhere, or need not be any more"))
            self._next()

    # Questions -----------------------------------------------------------------------------------------------------------

    def _next(self) -> None:
        """Put the next question; nothing more is asked when there is none."""
        open_ = [request for request in self._waiting.values() if request.id not in self._left]
        if not open_ or self._keyboard is None:
            if self._question is not None:
                self._question = None
                self._view.answered()
            return
        if self._question is not None:
            self._view.answered()
        self._question = Dialogue(open_[0], len(open_) - 1)
        self._put(self._question.text(), afresh=True)

    def _put(self, text: str, *, afresh: bool = False) -> None:
        assert self._keyboard is not None
        self._keyboard.ask(afresh=afresh)
        self._view.ask(f"{text} ")
        self._open_line = True

    def _end_line(self) -> None:
        if self._open_line:
            self._open_line = False
            self._view.ask("\n")

    def _typed(self, question: Dialogue, line: str | None) -> None:
        if line is not None:
            self._open_line = False
        else:
            # Ctrl-D: nobody is here any more.
            self._end_line()
            left = [request for request in self._waiting.values() if request.id not in self._left]
            self._keyboard_gone()
            for request in left:
                self._tell(request)
            return
        answer = question.answer(line)
        if isinstance(answer, Answer):
            self._decide(question, answer)
        elif isinstance(answer, Leave):
            self._left.add(question.request.id)
            self._next()
            self._tell(question.request)
        elif isinstance(answer, Edit):
            self._put(f"{self._edited(question, answer.args)}\n{question.line()}")
        else:
            self._put(f"{answer.text}\n{question.line()}".lstrip("\n"))

    def _keyboard_gone(self) -> None:
        keyboard, self._keyboard, self._question = self._keyboard, None, None
        if keyboard is not None:
            keyboard.close()
        self._view.answered()

    def _edited(self, question: Dialogue, args: Any) -> str:
        try:
            with self._deaf():
                return question.change(edit_arguments(args, f"Arguments of {question.request.action}"))
        except UsageProblem as problem:
            return "\n".join(describe(problem))

    def _decide(self, question: Dialogue, answer: Answer) -> None:
        request = question.request
        try:
            self._engine.approvals.decide(request.id, answer.approved, answer.reason, self._by, answer.args)
        except (InputError, StoreUnavailableError, UnrepresentableError) as error:
            self._put("\n".join([*describe(error), question.line()]))
            return
        except (AlreadyDecidedError, InvalidStateError, NotAuthorizedError, NotFoundError, TimeoutError) as error:
            self._left.add(request.id)
            said = describe(error)
        else:
            self._left.add(request.id)
            said = [printable(f"{'approved' if answer.approved else 'rejected':<9}  {request.action}")]
            if self._counted(request):
                said = [printable(f"counted    {request.action}: others have to agree, too")]
        self._next()
        for line in said:
            self._view.say(line)

    def _counted(self, request: Request) -> bool:
        try:
            return self._engine.approvals.decision(request.id) is None and self._pending(request.id)
        except FluxorError:
            return False


def _moving(explanation: Explanation) -> bool:
    """Whether a process, or one that it waits for, goes on by itself."""
    if any(each.cause in _MOVING for each in explanation.waiting):
        return True
    return any(not child.state.final and _moving(child) for child in explanation.children)
