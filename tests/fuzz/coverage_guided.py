"""The same checks, led by what code they reach, for hours if one likes. Not part of the tests: it needs ``pip install atheris``.

    python -m tests.fuzz.coverage_guided documents -max_total_time=600

The names are those of `TARGETS`; what follows goes to libFuzzer, a folder of examples that it keeps, say. What it finds it writes to a file, which is
run again with the file's name as the only option.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["TARGETS", "main"]

TARGETS: Mapping[str, tuple[str, str]] = {
    "documents": ("test_documents", "check_document"),
    "expressions": ("test_expressions", "check_expression"),
    "inputs": ("test_inputs", "check_input"),
    "patches": ("test_patches", "check_patch"),
    "records": ("test_journals", "check_record"),
}
"""The module and the function of each check."""

_VARIABLES = {"a": [1, {"b": "x"}], "b": "text", "total": 2.5, "fetch-data": None, "user_id": {"UserId": 7}}


def _check_of(name: str) -> Callable[[bytes], object]:
    module, function = TARGETS[name]
    check: Callable[..., object] = getattr(importlib.import_module(f"tests.fuzz.{module}"), function)
    if name == "expressions":
        return lambda data: check(data.decode("utf-8", "replace"), _VARIABLES)
    if name == "inputs":
        return lambda data: check("x=" + data.decode("utf-8", "surrogateescape"))
    return check


def main(arguments: list[str]) -> None:
    """Run until something is found, or the time is over."""
    if len(arguments) < 2 or arguments[1] not in TARGETS:
        raise SystemExit(f"which one? {', '.join(TARGETS)}")
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["fluxor_actors", "yaml", "lark"]):
        check = _check_of(arguments[1])
    atheris.Setup([arguments[0], *arguments[2:]], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
