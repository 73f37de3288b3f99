"""The root of the tree."""

from __future__ import annotations

__all__ = ["FluxorError"]


class FluxorError(Exception):
    """The root of all errors that the engine raises on purpose."""
