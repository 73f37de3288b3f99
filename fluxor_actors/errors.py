"""Every error of the engine, in one tree.

```text
FluxorError
├── ConfigError                    a setting is unknown or has a wrong value
├── DefinitionError                a document does not validate; carries every problem
│   └── LocationError              a document, or one that it imports, cannot be read
├── ExpressionError                an expression does not parse or cannot be evaluated
├── UnrepresentableError           a value is not plain data
├── RegistryError                  an action or a type cannot be registered
├── NotFoundError
│   ├── ApprovalNotFoundError
│   ├── ExecutionNotFoundError
│   ├── GroupNotFoundError
│   ├── MethodNotFoundError
│   ├── ProcessNotFoundError
│   ├── ServiceNotFoundError
│   ├── TaskNotFoundError
│   └── TypeNotFoundError
├── ActionError                    why an execution failed
│   ├── ActionCancelledError
│   ├── ActionCrashedError         its worker or its engine died
│   ├── ActionDeniedError          a policy or a person said no
│   ├── ActionInputError
│   ├── ActionTimeoutError
│   ├── AwaitTimeoutError
│   ├── ChildFailedError           a sub-workflow did not complete
│   ├── DeadlockError              tasks or processes wait for each other in a circle
│   ├── DependencyFailedError
│   ├── SecretError                there is no secret of that name
│   └── TransitionLimitError       too many jumps
├── InputError                     a process cannot start with what it was given
├── InvalidStateError              not possible in the state in which the process is
├── ProcessFailedError             raised by ``ProcessOutput.raise_for_error``
├── EngineError
│   ├── EngineBusyError            more is pending than ``max_pending`` allows
│   └── EngineStoppedError
├── StoreError
│   ├── OwnershipLostError         somebody else has written to the process's journal
│   ├── SchemaVersionError
│   └── StoreUnavailableError
├── QueueError                     a queue is closed, or cannot be used
├── AlreadyDecidedError
├── NotAuthorizedError
└── IllegalTransitionError         a bug in the engine
```

Errors carry attributes for programs and a text for people: where, what was found, what was expected, what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

__all__ = [
    "ActionCancelledError",
    "ActionCrashedError",
    "ActionDeniedError",
    "ActionError",
    "ActionInputError",
    "ActionTimeoutError",
    "AlreadyDecidedError",
    "ApprovalNotFoundError",
    "AwaitTimeoutError",
    "ChildFailedError",
    "ConfigError",
    "DeadlockError",
    "DefinitionError",
    "DependencyFailedError",
    "EngineBusyError",
    "EngineError",
    "EngineStoppedError",
    "ExecutionNotFoundError",
    "ExpressionError",
    "FluxorError",
    "GroupNotFoundError",
    "IllegalTransitionError",
    "InputError",
    "InvalidStateError",
    "LocationError",
    "MethodNotFoundError",
    "NotAuthorizedError",
    "NotFoundError",
    "OwnershipLostError",
    "ProcessFailedError",
    "ProcessNotFoundError",
    "QueueError",
    "RegistryError",
    "SchemaVersionError",
    "SecretError",
    "ServiceNotFoundError",
    "StoreError",
    "StoreUnavailableError",
    "TaskNotFoundError",
    "TransitionLimitError",
    "TypeNotFoundError",
    "UnrepresentableError",
]


class ProblemLike(Protocol):
    """What `DefinitionError` needs of a problem: a one-line text. See `fluxor_actors.definition.Problem`."""

    def __str__(self) -> str: ...


class FluxorError(Exception):
    """The root of all errors that the engine raises on purpose."""


class ConfigError(FluxorError):
    """A setting is unknown, or has a value that it cannot have."""


class DefinitionError(FluxorError):
    """A workflow document that does not validate.

    Attributes:
        problems: everything that is wrong, in document order.
    """

    def __init__(self, problems: Sequence[ProblemLike] | str) -> None:
        self.problems: tuple[ProblemLike, ...] = () if isinstance(problems, str) else tuple(problems)
        if isinstance(problems, str):
            text = problems
        elif len(self.problems) == 1:
            text = str(self.problems[0])
        else:
            text = f"{len(self.problems)} problems:\n" + "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(text)


class LocationError(DefinitionError):
    """A location cannot be read."""


class ExpressionError(FluxorError):
    """An expression that does not parse, or cannot be evaluated.

    Attributes:
        reason: what is wrong, in one line.
        source: the text of the expression.
        position: offset of the place in ``source``, in characters from 0; None when there is no single place.
        expected: what could have stood there.
        candidates: for an unknown name, the nearest known ones.
    """

    def __init__(
        self,
        reason: str,
        *,
        source: str = "",
        position: int | None = None,
        expected: Sequence[str] = (),
        candidates: Sequence[str] = (),
    ) -> None:
        self.reason = reason
        self.source = source
        self.position = position
        self.expected = tuple(expected)
        self.candidates = tuple(candidates)
        super().__init__(reason)

    def __str__(self) -> str:
        text = self.reason
        if self.expected:
            text += f"; expected {', '.join(self.expected)}"
        if self.candidates:
            text += f"; did you mean {', '.join(self.candidates)}?"
        if not self.source:
            return text
        if self.position is None:
            return f"{text}\n  {_window(self.source, 0)[0]}"
        shown, column = _window(self.source, self.position)
        return f"{text}\n  {shown}\n  {' ' * column}^"


def _window(source: str, position: int, width: int = 100) -> tuple[str, int]:
    """The line of ``source`` around ``position``, cut to ``width``, and the column of ``position`` in it."""
    start = source.rfind("\n", 0, position) + 1
    end = source.find("\n", position)
    line = source[start : len(source) if end < 0 else end].replace("\t", " ")
    column = position - start
    if len(line) > width:
        cut = max(0, min(column - width // 2, len(line) - width))
        line, column = line[cut : cut + width], column - cut
    return line, column


class UnrepresentableError(FluxorError):
    """A value that is not plain data (null, bool, int, float, str, list, mapping).

    Attributes:
        path: where in the value, such as ``$.rows[3].lock``.
    """

    def __init__(self, reason: str, *, path: str = "$") -> None:
        self.reason = reason
        self.path = path
        super().__init__(f"{reason} @ {path}")


class RegistryError(FluxorError):
    """An action, service or type that cannot be registered."""


class NotFoundError(FluxorError):
    """Something that was asked for by name or id does not exist.

    Attributes:
        name: what was asked for.
        candidates: the nearest known names.
    """

    kind = "item"

    def __init__(self, name: str, *, candidates: Sequence[str] = (), hint: str = "") -> None:
        self.name = name
        self.candidates = tuple(candidates)
        text = f"{self.kind} {name!r} not found"
        if self.candidates:
            text += f"; did you mean {', '.join(self.candidates)}?"
        if hint:
            text += f"; {hint}"
        super().__init__(text)


class ApprovalNotFoundError(NotFoundError):
    """No approval request of that id."""

    kind = "approval request"


class TaskNotFoundError(NotFoundError):
    """No task of that name in the workflow."""

    kind = "task"


class ServiceNotFoundError(NotFoundError):
    """No service of that name is registered."""

    kind = "service"


class MethodNotFoundError(NotFoundError):
    """The service has no method of that name."""

    kind = "method"


class TypeNotFoundError(NotFoundError):
    """No type of that name is registered."""

    kind = "type"


class ProcessNotFoundError(NotFoundError):
    """No process of that id in the store."""

    kind = "process"


class ExecutionNotFoundError(NotFoundError):
    """No execution of that id in the store."""

    kind = "execution"


class GroupNotFoundError(NotFoundError):
    """No emitted group of that id in the process."""

    kind = "group"


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


class AwaitTimeoutError(ActionError):
    """What was awaited did not arrive in time."""


class ChildFailedError(ActionError):
    """A process started by ``workflow:run`` did not complete."""


class DeadlockError(ActionError):
    """Tasks of a process, or processes, wait for each other in a circle, and none could ever go on. The text names them."""


class DependencyFailedError(ActionError):
    """A task named in ``dependsOn`` failed."""


class SecretError(ActionError):
    """An input names a secret that the engine was not given. Trying again does not help."""

    retryable = False


class TransitionLimitError(ActionError):
    """More ``goto`` jumps than ``max_transitions``."""


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


class EngineError(FluxorError):
    """The engine cannot take the call."""


class EngineBusyError(EngineError):
    """More is pending than ``max_pending`` allows; try again later."""


class EngineStoppedError(EngineError):
    """The engine was shut down, or could not start."""


class StoreError(FluxorError):
    """The store failed."""


class OwnershipLostError(StoreError):
    """The journal's next number is taken: another engine owns the process."""


class SchemaVersionError(StoreError):
    """The store was written by a newer version."""


class StoreUnavailableError(StoreError):
    """The store cannot be reached at present."""


class QueueError(FluxorError):
    """A queue is closed, or cannot be used at present."""


class AlreadyDecidedError(FluxorError):
    """The approval request has its decision."""


class NotAuthorizedError(FluxorError):
    """That person may not decide this request."""


class IllegalTransitionError(FluxorError):
    """A state change that the transition table does not allow: a bug in the engine."""
