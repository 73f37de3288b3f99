"""Unified diffs of texts."""

from __future__ import annotations

import difflib

from fluxor_actors.actions.builtin.patch.change import split

__all__ = ["difference"]

_NOTHING = "/dev/null"


def difference(path: str, before: str | None, after: str | None, context: int = 3) -> tuple[str, int, int]:
    r"""The diff from one text of a file to another, how many lines come, and how many go. None: there is no file.

    Example:
        >>> text, added, removed = difference("a.txt", "one\n", "two\n")
        >>> print(text.rstrip())
        --- a/a.txt
        +++ b/a.txt
        @@ -1 +1 @@
        -one
        +two
        >>> added, removed
        (1, 1)
    """
    old = _NOTHING if before is None else f"a/{path}"
    new = _NOTHING if after is None else f"b/{path}"
    lines: list[str] = []
    added = removed = 0
    for number, line in enumerate(difflib.unified_diff(split(before or ""), split(after or ""), old, new, n=context)):
        if number >= 2:
            added += line.startswith("+")
            removed += line.startswith("-")
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines), added, removed
