"""What cannot be done with a process, or with an approval request of one."""

from __future__ import annotations

from collections.abc import Sequence

from fluxor_actors.errors.root import FluxorError

__all__ = [
    "AlreadyDecidedError",
    "IllegalTransitionError",
    "InputError",
    "InvalidStateError",
    "NotAuthorizedError",
    "ProcessFailedError",
]


class InputError(FluxorError):
    """A process cannot start with the inputs or initial state that it was given."""


class InvalidStateError(FluxorError):
    """The process, or execution, is in a state in which this is not possible.

    Attributes:
        operation: what was asked for.
        state: the state found.
        legal: the states in which it would have been possible.
    """

    def __init__(self, operation: str, state: str, legal: Sequence[str]) -> None:
        self.operation = operation
        self.state = state
        self.legal = tuple(legal)
        super().__init__(f"cannot {operation} in state {str(state)!r}; possible in {', '.join(self.legal)}")


class ProcessFailedError(FluxorError):
    """The process did not complete.

    Attributes:
        process_id: which one.
        state: its state.
        errors: task id to text.
    """

    def __init__(self, process_id: str, state: str, errors: dict[str, str]) -> None:
        self.process_id = process_id
        self.state = state
        self.errors = errors
        detail = "".join(f"\n  {task}: {text}" for task, text in errors.items())
        super().__init__(f"process {process_id} is {state}{detail}")


class AlreadyDecidedError(FluxorError):
    """The approval request has its decision."""


class NotAuthorizedError(FluxorError):
    """That person may not decide this request."""


class IllegalTransitionError(FluxorError):
    """A state change that the transition table does not allow: a bug in the engine."""
