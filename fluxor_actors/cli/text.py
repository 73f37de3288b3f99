"""Texts for a terminal: one line, nothing that steers the terminal, durations for people."""

from __future__ import annotations

__all__ = ["first_line", "printable", "took"]


def printable(text: str) -> str:
    r"""The text with everything that a terminal would obey, line breaks included, written out.

    Example:
        >>> printable("a\x1b[31mb\n")
        'a\\x1b[31mb\\n'
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "backslashreplace").decode("ascii")
        for letter in text
    )


def first_line(text: str) -> str:
    r"""The first line of a text, printable.

    Example:
        >>> first_line("\nboom\n  more")
        'boom'
    """
    stripped = text.strip()
    return printable(stripped.splitlines()[0].rstrip()) if stripped else ""


def took(seconds: float) -> str:
    """A duration as people read it.

    Example:
        >>> took(0.0124), took(2.34), took(75), took(3720)
        ('12ms', '2.3s', '1m15s', '1h02m')
    """
    if seconds < 0.9995:
        return f"{max(0.0, seconds) * 1000:.0f}ms"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m"
