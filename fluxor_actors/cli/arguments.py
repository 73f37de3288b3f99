"""Arguments of an action from the command line, a file or an editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.inputs import parse_value
from fluxor_actors.definition.meta import FsspecMeta
from fluxor_actors.definition.nodes import to_plain
from fluxor_actors.definition.reader import read
from fluxor_actors.definition.yaml_writer import yaml_of
from fluxor_actors.errors import DefinitionError

__all__ = ["edit_arguments", "read_arguments"]

_UNDECIDED = "nothing was decided"
_LEAD = "# {}\n# What stands here when the editor ends is approved; leave nothing to decide nothing.\n"


def read_arguments(given: str, stdin: Callable[[], bytes]) -> Any:
    """What ``--args`` says: JSON or YAML as it stands there, or the content of ``@FILE``; ``@-`` is standard input.

    Raises:
        UsageProblem: it cannot be read.

    Example:
        >>> read_arguments('{"amount": 50}', bytes), read_arguments("50", bytes)
        ({'amount': 50}, 50)
    """
    if not given.startswith("@"):
        try:
            return parse_value(given)
        except UsageProblem as error:
            raise UsageProblem(
                str(error).replace("-i ", "--args ", 1), """write --args '{"name": "value"}', or --args @FILE"""
            ) from error
    name = given[1:]
    try:
        content = stdin() if name == "-" else FsspecMeta().load(name)
    except UsageProblem:
        raise
    except Exception as error:  # whatever a file system raises
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else f"{type(error).__name__}: {error}"
        raise UsageProblem(f"--args @{name}: {reason}", "name a file of JSON or YAML") from error
    return _parse(content, "<stdin>" if name == "-" else name)


def edit_arguments(args: Any, about: str) -> Any:
    """The arguments as somebody leaves them in an editor: ``$VISUAL``, ``$EDITOR`` or vi.

    Args:
        args: as they are.
        about: what they are for; a line above them.

    Raises:
        UsageProblem: there is no editor, it failed, or what it left cannot be read.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    handle, name = tempfile.mkstemp(prefix="fluxor-", suffix=".yaml")
    path = Path(name)
    try:
        os.close(handle)
        path.write_text(_LEAD.format(about) + yaml_of(args), encoding="utf-8")
        try:
            # What the user has named as the editor is what the user wants run.
            code = subprocess.call([*shlex.split(editor), name])  # noqa: S603
        except (OSError, ValueError) as error:
            raise UsageProblem(f"{editor}: {error}; {_UNDECIDED}", "EDITOR names an editor; or use --args") from error
        if code:
            raise UsageProblem(f"{editor} ended with {code}; {_UNDECIDED}")
        return _parse(path.read_bytes(), "the arguments")
    finally:
        path.unlink(missing_ok=True)


def _parse(content: bytes, source: str) -> Any:
    try:
        node = read(content, source, empty_ok=True)
    except DefinitionError as error:
        first = next(iter(error.problems), error)
        raise UsageProblem(f"{first}; {_UNDECIDED}") from error
    if node is None:
        raise UsageProblem(f"{source}: empty; {_UNDECIDED}")
    return to_plain(node)
