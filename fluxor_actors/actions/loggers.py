"""The logger that an action is given."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

__all__ = ["ContextLogger", "ScrubbedLogger"]


class ContextLogger(logging.LoggerAdapter[logging.Logger]):
    """Adds the ids to what a caller gives as ``extra``, where the base class would replace it."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


class ScrubbedLogger(ContextLogger):
    """The same without the values of secrets: in the message and its arguments, in tracebacks, and in ``extra``."""

    def __init__(self, logger: logging.Logger, extra: Mapping[str, object], scrub: Callable[[str], str]) -> None:
        super().__init__(logger, extra)
        self._scrub = scrub

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log the message as one text, with the traceback, if it is to have one, as a part of it."""
        if not self.isEnabledFor(level):
            return
        text = _formatted(str(msg), args)
        error = kwargs.pop("exc_info", None)
        if error:
            text = f"{text}\n{_traceback(error)}"
        extra = kwargs.get("extra") or {}
        kwargs["extra"] = {
            name: self._scrub(value if isinstance(value, str) else repr(value))
            if not isinstance(value, int | float)
            else value
            for name, value in extra.items()
        }
        # The record is to name the line that logs, and not this one.
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        super().log(level, "%s", self._scrub(text), **kwargs)


def _formatted(text: str, args: tuple[Any, ...]) -> str:
    if len(args) == 1 and isinstance(args[0], Mapping) and args[0]:
        return text % args[0]
    return text % args if args else text


def _traceback(error: Any) -> str:
    if isinstance(error, BaseException):
        return "".join(traceback.format_exception(error)).rstrip()
    kind, value, trace = error if isinstance(error, tuple) else sys.exc_info()
    return "".join(traceback.format_exception(kind, value, trace)).rstrip()
