"""Why something failed, as plain data."""

from __future__ import annotations

from attrs import evolve, frozen

__all__ = ["Failure"]

_BORING = frozenset({"object", "BaseException"})


@frozen(slots=True)
class Failure:
    """One failure.

    Attributes:
        type: the error's class name.
        message: its text; the class name when it has none.
        types: class names from the error's own up through its bases, for ``retryOn``.
        task: id of the task that failed first; empty until it is known.
        attempt: number of the attempt, from 1; 0 when the failure is not an attempt's.
        retryable: whether another attempt may help.
    """

    type: str
    message: str
    types: tuple[str, ...] = ()
    task: str = ""
    attempt: int = 0
    retryable: bool = True

    @classmethod
    def of(cls, error: BaseException, *, task: str = "", attempt: int = 0, retryable: bool = True) -> Failure:
        """The failure that an exception stands for.

        Example:
            >>> Failure.of(KeyError("x")).types
            ('KeyError', 'LookupError', 'Exception')
        """
        kind = type(error)
        try:
            message = str(error) or kind.__name__
        except Exception as broken:  # an error whose own text raises still has to be reported
            message = f"{kind.__name__} (its text raises {type(broken).__name__})"
        types = tuple(base.__name__ for base in kind.__mro__ if base.__name__ not in _BORING)
        # Text that no store can hold must not make reporting the failure fail in its turn.
        message = message.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
        return cls(kind.__name__, message, types, task, attempt, retryable)

    def at(self, task: str, attempt: int = 0) -> Failure:
        """The same failure with its place, unless it has one."""
        return self if self.task else evolve(self, task=task, attempt=attempt or self.attempt)

    def matches(self, names: tuple[str, ...]) -> bool:
        """Whether one of ``names`` is the error's class or one of its bases (with or without a module)."""
        return any(name.rpartition(".")[2] in self.types or name == self.type for name in names)

    def as_mapping(self) -> dict[str, object]:
        """What ``catch`` sees as ``error``."""
        return {"type": self.type, "message": self.message, "task": self.task, "attempt": self.attempt}
