"""What is wrong after a program was killed and has gone on, or an engine in a simulation."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

__all__ = ["Finding", "Kind"]

Kind = Literal["unfinished", "lost", "repeated", "differs", "journal", "expected", "counts", "cancel", "left", "log"]


@frozen
class Finding:
    """One thing that must not be.

    Attributes:
        kind: ``unfinished``: it did not come to its end. ``lost``: what was done, committed or acknowledged is not there. ``repeated``: what had ended
            was done again. ``differs``: the outcome is not that of a run that nobody kills. ``journal``: it does not replay to what is stored. Of simulations only:
            ``expected``: an expectation that does not hold. ``counts``: progress does not add up. ``cancel``: something ran that a cancellation
            should have kept from running. ``left``: something is left over after the end. ``log``: the engine has logged an error.
        about: the execution, by its idempotency key, or the process.
        detail: what was seen.
    """

    kind: Kind
    about: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.about}: {self.detail}"
