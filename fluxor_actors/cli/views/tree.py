"""The rows of a run as text with colours, in the width that there is."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from fluxor_actors.cli.text import printable, took
from fluxor_actors.cli.views.board import Node
from fluxor_actors.cli.views.rows import Row
from fluxor_actors.process.states import ExecutionState

__all__ = ["draw"]

_E = ExecutionState
_STYLES = {_E.COMPLETED: "green", _E.FAILED: "bold red", _E.CANCELLED: "yellow", _E.SKIPPED: "dim", _E.PENDING: "dim"}
_SIGNS = {_E.COMPLETED: "✓", _E.FAILED: "✗", _E.CANCELLED: "■", _E.SKIPPED: "↷", _E.PENDING: "·", _E.PAUSED: "‖"}
_ASCII_SIGNS = {_E.COMPLETED: "+", _E.FAILED: "x", _E.CANCELLED: "!", _E.SKIPPED: "-", _E.PENDING: ".", _E.PAUSED: "="}
_WORDS = {
    _E.CANCELLED: "cancelled", _E.SKIPPED: "skipped", _E.PAUSED: "paused", _E.SCHEDULED: "queued",
    _E.WAIT_ASYNC: "waiting", _E.WAIT_FOR_DEPENDENCIES: "waiting", _E.WAIT_FOR_APPROVAL: "waiting for approval",
}  # fmt: skip
_TURNING, _ASCII_TURNING = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"
_NARROW = 60


def draw(rows: list[Row], left_out: int, width: int, tick: int, *, ascii_only: bool = False) -> Text:
    """The rows, each in one line of at most ``width``.

    Args:
        rows: from top to bottom.
        left_out: how many tasks have no row.
        width: in cells.
        tick: counts the frames, for what turns.
        ascii_only: the terminal shows nothing else.
    """
    times = ["" if row.seconds is None else took(row.seconds) for row in rows]
    time_width = max((len(time) for time in times), default=0)
    room = width - time_width - 1
    details = [_detail(row.node, 6 if width < _NARROW else 20, ascii_only) for row in rows]
    names = [_name(row, tick, ascii_only) for row in rows]
    widest = max((cell_len(name.plain) for name in names), default=0)
    column = min(widest, max(room * 3 // 5, room - 1 - max((cell_len(detail.plain) for detail in details), default=0)))
    lines = []
    for name, detail, time in zip(names, details, times, strict=True):
        name.truncate(
            column if detail.plain else room, overflow="crop" if ascii_only else "ellipsis", pad=bool(detail.plain)
        )
        line = name
        if detail.plain:
            detail.truncate(room - column - 1, overflow="crop" if ascii_only else "ellipsis")
            line = Text.assemble(name, " ", detail)
        line.truncate(room, overflow="crop", pad=True)
        lines.append(Text.assemble(line, " ", (f"{time:>{time_width}}", "dim")))
    if left_out:
        dots = "..." if ascii_only else "…"
        rest = Text(f"{dots} and {left_out} more", style="dim", no_wrap=True)
        rest.truncate(width, overflow="crop")
        lines.append(rest)
    return Text("\n", no_wrap=True, overflow="crop").join(lines)


def _name(row: Row, tick: int, ascii_only: bool) -> Text:
    bar, tee, corner = ("|  ", "+- ", "+- ") if ascii_only else ("│  ", "├─ ", "└─ ")
    guide = "".join(bar if more else "   " for more in row.guides[:-1])
    if row.guides:
        guide += tee if row.guides[-1] else corner
    state = row.node.state
    signs = _ASCII_SIGNS if ascii_only else _SIGNS
    turning = _ASCII_TURNING if ascii_only else _TURNING
    sign = signs.get(state) or turning[tick % len(turning)]
    return Text.assemble((guide, "dim"), (f"{sign} ", _STYLES.get(state, "cyan")), printable(row.node.label))


def _detail(node: Node, bar: int, ascii_only: bool) -> Text:
    if node.total:
        return _bar(node, node.total, bar, ascii_only)
    if node.state is _E.FAILED:
        return Text(node.note, style="red")
    if node.note and not node.state.final:
        return Text(f"attempt {node.attempt} failed: {node.note}", style="yellow")
    if node.state is _E.RUNNING and node.attempt > 1:
        return Text(f"attempt {node.attempt}", style="yellow")
    return Text(_WORDS.get(node.state, ""), style="dim")


def _bar(node: Node, total: int, width: int, ascii_only: bool) -> Text:
    ended = sum(node.ended.values())
    filled = min(width, width * ended // total)
    full, empty = ("#", "-") if ascii_only else ("━", "─")
    failed = node.ended[_E.FAILED]
    style = "red" if failed else "green"
    text = Text.assemble((full * filled, style), (empty * (width - filled), "bright_black"), f" {ended}/{total}")
    if failed:
        text.append(f" {failed} failed", style="red")
    return text
