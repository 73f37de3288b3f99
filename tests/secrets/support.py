"""Canaries: values that must not be found anywhere."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

from fluxor_actors import ActionContext, action

TOKEN = "cäñary\"one'&/+ end"
PASSWORD = "tr0ub4dor-canary-two"
SECRETS = {"TOKEN": TOKEN, "PASSWORD": PASSWORD}


def spellings(value: str) -> list[str]:
    """How a value may look in what was made of it."""
    return [
        value, repr(value)[1:-1], json.dumps(value)[1:-1], quote(value), quote(value, safe=""), quote_plus(value),
        base64.b64encode(value.encode()).decode().rstrip("=")[:-1], value.encode().hex(),
    ]  # fmt: skip


def found_in(text: str, values: Iterable[str] = tuple(SECRETS.values())) -> list[str]:
    """Which canaries are in a text, in any spelling, or by six characters in a row."""
    found = []
    for value in values:
        parts = {value[place : place + 6] for place in range(len(value) - 5)}
        found += [part for part in (*spellings(value), *sorted(parts)) if part in text]
    return found


class Taker:
    """The actions ``test:take``, which keeps what it is given, and ``test:spill``, which tells it to everybody."""

    def __init__(self) -> None:
        self.given: list[Any] = []

        @action("test:take")
        def take(value: Any = None, note: str = "") -> str:
            self.given.append(value)
            return "taken"

        @action("test:spill")
        def spill(context: ActionContext, value: str, fail: bool = False) -> dict[str, Any]:
            self.given.append(value)
            context.progress(0.5, f"half of {value}")
            context.logger.info("using %s", value, extra={"header": f"Bearer {value}"})
            try:
                raise ValueError(f"inner {value!r}")
            except ValueError:
                context.logger.exception("went wrong with %(what)s", {"what": value})
            if fail:
                raise RuntimeError(f"the server said: {json.dumps({'you sent': value})}")
            return {value: value, "list": [value, {"url": f"https://x/?q={quote(value)}"}], "repr": repr(value),
                    "basic": base64.b64encode(f"user:{value}".encode()).decode(), "hex": value.encode().hex()}  # fmt: skip

        self.actions = (take, spill)


class Records(logging.Handler):
    """Keeps every record as it would be printed, with its attributes."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record) + repr(vars(record)))
