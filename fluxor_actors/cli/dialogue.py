"""One approval request as a question at the terminal: what is shown, and what an answer means. Pure."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from fluxor_actors.approval import Request
from fluxor_actors.cli.approval_text import arguments_lines, request_lines

__all__ = ["Answer", "Dialogue", "Edit", "Leave", "Unclear"]

_CHOICES = "[y]es [n]o [e]dit [l]ater [?]"
_HELP = (
    "  y          run it with these arguments; y WHY gives a reason",
    "  n          do not run it: the task fails; n WHY gives the reason",
    "  e          change the arguments in $EDITOR, and be asked again",
    "  l          leave it for `fluxor approve` or `fluxor reject`",
)


@frozen
class Answer:
    """A decision. ``args``: in place of the recorded ones; None: those."""

    approved: bool
    reason: str = ""
    args: Any = None


@frozen
class Edit:
    """The arguments are to be changed first. ``args``: as they are now."""

    args: Any


@frozen
class Leave:
    """It is left to others."""


@frozen
class Unclear:
    """It was no answer. ``text``: what to show before it is asked again."""

    text: str


class Dialogue:
    """A question, until it has its answer.

    Args:
        request: what is asked.
        more: how many others wait.

    Example:
        >>> from fluxor_actors.instants import to_datetime
        >>> dialogue = Dialogue(Request(id="r1", action="shop:refund", args={"amount": 90}, created_at=to_datetime(0.0)))
        >>> print(dialogue.text())
        shop:refund
          amount: 90
        run it? [y]es [n]o [e]dit [l]ater [?]
        >>> dialogue.answer("n far too much")
        Answer(approved=False, reason='far too much', args=None)
    """

    def __init__(self, request: Request, more: int = 0) -> None:
        self.request = request
        self._more = more
        self._args = request.args
        self._changed = False

    def text(self) -> str:
        """The whole question."""
        return "\n".join([*request_lines(self.request), self.line()])

    def line(self) -> str:
        """Its last line, after which somebody types."""
        more = f" ({self._more} more wait)" if self._more else ""
        return f"run it{' so' if self._changed else ''}?{more} {_CHOICES}"

    def change(self, args: Any) -> str:
        """Take changed arguments. Returns what is shown of them."""
        self._args, self._changed = args, args != self.request.args
        return "\n".join(["changed to:" if self._changed else "as it was:", *arguments_lines(args)])

    def answer(self, line: str) -> Answer | Edit | Leave | Unclear:
        """What somebody has typed."""
        word, _, reason = line.strip().partition(" ")
        reason = reason.strip()
        match word.lower():
            case "y" | "yes":
                return Answer(True, reason, self._args if self._changed else None)
            case "n" | "no":
                return Answer(False, reason)
            case "e" | "edit" if not reason:
                return Edit(self._args)
            case "l" | "later" if not reason:
                return Leave()
            case "?" | "help":
                return Unclear("\n".join(_HELP))
            case "":
                return Unclear("")
        return Unclear(f"{word[:20]!r} is none of y, n, e, l; ? says what they mean")
