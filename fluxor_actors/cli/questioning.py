"""Questions at the terminal: one at a time, each until it is answered, left to others, or settled elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from fluxor_actors.approval import Request
from fluxor_actors.cli.arguments import edit_arguments
from fluxor_actors.cli.dialogue import Answer, Dialogue, Edit, Leave
from fluxor_actors.cli.failing import UsageProblem, describe
from fluxor_actors.cli.keyboard import Keyboard
from fluxor_actors.cli.text import printable
from fluxor_actors.cli.views import View
from fluxor_actors.engine.approvals import ApprovalService
from fluxor_actors.errors import (
    AlreadyDecidedError,
    InputError,
    InvalidStateError,
    NotAuthorizedError,
    NotFoundError,
    StoreUnavailableError,
    UnrepresentableError,
)

__all__ = ["Questions"]


class Questions:
    """Asks whoever sits at the terminal.

    Args:
        waiting: the requests that wait for an answer, by id, in order; kept up to date by whoever gives it.
        approvals: takes the answers.
        by: in whose name.
        view: shows the questions.
        keyboard: brings what is typed.
        deaf: while it lasts, Ctrl-C is an editor's business.
        leave: told of each request that is left to others.
    """

    def __init__(
        self,
        waiting: Mapping[str, Request],
        approvals: ApprovalService,
        by: str | None,
        view: View,
        keyboard: Keyboard,
        *,
        deaf: Callable[[], AbstractContextManager[None]],
        leave: Callable[[Request], object],
    ) -> None:
        self._waiting = waiting
        self._approvals = approvals
        self._by = by
        self._view = view
        self._keyboard = keyboard
        self._deaf = deaf
        self._leave = leave
        # Those that are done with here: answered, or left to others.
        self._done: set[str] = set()
        self._question: Dialogue | None = None
        # Whether the cursor stands behind a question.
        self._open_line = False

    def skip(self, request: Request) -> None:
        """Never ask this one."""
        self._done.add(request.id)

    def ask(self) -> None:
        """There is a request more: ask it, unless another one is being asked."""
        if self._question is None:
            self._next()

    def settled(self, request: Request) -> None:
        """It needs no answer any more."""
        if self._question is not None and self._question.request.id == request.id:
            self._end_line()
            self._view.say(printable(f"{request.action} was answered elsewhere, or need not be any more"))
            self._next()

    def typed(self, line: str) -> None:
        """Somebody has typed a line."""
        self._open_line = False
        question = self._question
        if question is None:
            return
        answer = question.answer(line)
        if isinstance(answer, Answer):
            self._decide(question, answer)
        elif isinstance(answer, Leave):
            self._done.add(question.request.id)
            self._next()
            self._leave(question.request)
        elif isinstance(answer, Edit):
            self._put(f"{self._edited(question, answer.args)}\n{question.line()}")
        else:
            self._put(f"{answer.text}\n{question.line()}".lstrip("\n"))

    def close(self) -> list[Request]:
        """Ask no more, and give the terminal back. Idempotent. Returns what nobody has been asked, or has not answered."""
        left = self._to_ask()
        self._done.update(self._waiting)
        self._keyboard.close()
        self._next()
        return left

    def _to_ask(self) -> list[Request]:
        return [request for request in self._waiting.values() if request.id not in self._done]

    def _next(self) -> None:
        """Put the next question; nothing more is asked when there is none."""
        if self._question is not None:
            self._end_line()
            self._question = None
            self._view.answered()
        to_ask = self._to_ask()
        if to_ask:
            self._question = Dialogue(to_ask[0], len(to_ask) - 1)
            self._put(self._question.text(), afresh=True)

    def _put(self, text: str, *, afresh: bool = False) -> None:
        self._keyboard.ask(afresh=afresh)
        self._view.ask(f"{text} ")
        self._open_line = True

    def _end_line(self) -> None:
        if self._open_line:
            self._open_line = False
            self._view.ask("\n")

    def _edited(self, question: Dialogue, args: Any) -> str:
        try:
            with self._deaf():
                return question.change(edit_arguments(args, f"Arguments of {question.request.action}"))
        except UsageProblem as problem:
            return "\n".join(describe(problem))

    def _decide(self, question: Dialogue, answer: Answer) -> None:
        request = question.request
        word = "approved" if answer.approved else "rejected"
        try:
            self._approvals.decide(request.id, answer.approved, answer.reason, self._by, answer.args)
        except (InputError, StoreUnavailableError, UnrepresentableError) as error:
            self._put("\n".join([*describe(error), question.line()]))
            return
        except (AlreadyDecidedError, InvalidStateError, NotAuthorizedError, NotFoundError, TimeoutError) as error:
            said = describe(error)
        else:
            counted = self._approvals.decision(request.id) is None and request.meta.get("quorum")
            said = [
                f"{'counted':<9}  {request.action}: others have to agree, too"
                if counted
                else f"{word:<9}  {request.action}"
            ]
        self._done.add(request.id)
        self._next()
        for line in said:
            self._view.say(printable(line))
