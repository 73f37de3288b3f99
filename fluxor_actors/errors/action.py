"""Why an execution failed."""

from __future__ import annotations

from collections.abc import Sequence

from fluxor_actors.errors.root import FluxorError

__all__ = [
    "ActionCancelledError",
    "ActionCrashedError",
    "ActionDeniedError",
    "ActionError",
    "ActionInputError",
    "ActionTimeoutError",
    "AwaitTimeoutError",
    "ChildFailedError",
    "CommandError",
    "DeadlockError",
    "DependencyFailedError",
    "HttpError",
    "PatchError",
    "SecretError",
    "StorageAccessError",
    "TransitionLimitError",
]


class ActionError(FluxorError):
    """Base of the reasons for which an execution fails."""


class ActionCancelledError(ActionError):
    """The execution was cancelled."""


class ActionCrashedError(ActionError):
    """The worker, or the whole engine, died while the attempt was under way."""


class ActionDeniedError(ActionError):
    """A policy or a person did not let the action run."""


class ActionInputError(ActionError):
    """The input does not fit the method's input type.

    Attributes:
        problems: one line each, ``message @ $.path``.
    """

    def __init__(self, action: str, problems: Sequence[str]) -> None:
        self.action = action
        self.problems = tuple(problems)
        super().__init__(f"input of {action}: " + "; ".join(problems))


class ActionTimeoutError(ActionError):
    """The attempt took longer than its ``timeout``."""


class AwaitTimeoutError(ActionError, TimeoutError):
    """What was awaited did not arrive in time. A `TimeoutError`, too."""


class ChildFailedError(ActionError):
    """A process started by ``workflow:run`` did not complete."""


class CommandError(ActionError):
    """A command has ended with another status than 0, or no shell could be had.

    Attributes:
        status: that of the command; None: it was not run.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class DeadlockError(ActionError):
    """Tasks of a process, or processes, wait for each other in a circle, and none could ever go on. The text names them."""


class DependencyFailedError(ActionError):
    """A task named in ``dependsOn`` failed."""


class HttpError(ActionError):
    """A server could not be asked, may not be asked, or has answered with an error.

    Attributes:
        status: of the answer; None: there was none.
        retryable: whether it may go better the next time.
    """

    def __init__(self, message: str, *, status: int | None = None, retryable: bool = True) -> None:
        self.status = status
        self.retryable = retryable
        super().__init__(message)


class PatchError(ActionError):
    """A patch cannot be read, or does not fit the files: none of them was changed.

    Attributes:
        path: of the file that it is about, relative to ``workdir``; None: none in particular.
        line: of the patch, from 1; None: none in particular.
        retryable: False, as the same patch fits no better the next time.
    """

    retryable = False

    def __init__(self, message: str, *, path: str | None = None, line: int | None = None) -> None:
        self.path = path
        self.line = line
        where = [f"line {line} of the patch"] if line is not None else []
        if path is not None:
            where.append(path)
        super().__init__(f"{', '.join(where)}: {message}" if where else message)


class SecretError(ActionError):
    """An input names a secret that the engine was not given. Trying again does not help."""

    retryable = False


class StorageAccessError(ActionError):
    """A file cannot be used, or may not be.

    Attributes:
        url: where it is.
    """

    def __init__(self, message: str, url: str) -> None:
        self.url = url
        super().__init__(f"{url}: {message}")


class TransitionLimitError(ActionError):
    """More ``goto`` jumps than ``max_transitions``."""
