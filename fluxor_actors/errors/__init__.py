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
│   ├── CommandError               a command of a shell did not succeed
│   ├── DeadlockError              tasks or processes wait for each other in a circle
│   ├── DependencyFailedError
│   ├── HttpError                  a server cannot or may not be asked, or answers with an error
│   ├── PatchError                 a patch cannot be read, or does not fit the files
│   ├── SecretError                there is no secret of that name
│   ├── StorageAccessError         a file cannot or may not be used
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

This is where they are imported from, whichever module here defines them. Imports nothing, and everything may import it.
"""

from __future__ import annotations

from fluxor_actors.errors.action import (
    ActionCancelledError,
    ActionCrashedError,
    ActionDeniedError,
    ActionError,
    ActionInputError,
    ActionTimeoutError,
    AwaitTimeoutError,
    ChildFailedError,
    CommandError,
    DeadlockError,
    DependencyFailedError,
    HttpError,
    PatchError,
    SecretError,
    StorageAccessError,
    TransitionLimitError,
)
from fluxor_actors.errors.definition import (
    ConfigError,
    DefinitionError,
    ExpressionError,
    LocationError,
    RegistryError,
    UnrepresentableError,
)
from fluxor_actors.errors.engine import (
    EngineBusyError,
    EngineError,
    EngineStoppedError,
    OwnershipLostError,
    QueueError,
    SchemaVersionError,
    StoreError,
    StoreUnavailableError,
)
from fluxor_actors.errors.lookup import (
    ApprovalNotFoundError,
    ExecutionNotFoundError,
    GroupNotFoundError,
    MethodNotFoundError,
    NotFoundError,
    ProcessNotFoundError,
    ServiceNotFoundError,
    TaskNotFoundError,
    TypeNotFoundError,
)
from fluxor_actors.errors.process import (
    AlreadyDecidedError,
    IllegalTransitionError,
    InputError,
    InvalidStateError,
    NotAuthorizedError,
    ProcessFailedError,
)
from fluxor_actors.errors.root import FluxorError

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
    "CommandError",
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
    "HttpError",
    "IllegalTransitionError",
    "InputError",
    "InvalidStateError",
    "LocationError",
    "MethodNotFoundError",
    "NotAuthorizedError",
    "NotFoundError",
    "OwnershipLostError",
    "PatchError",
    "ProcessFailedError",
    "ProcessNotFoundError",
    "QueueError",
    "RegistryError",
    "SchemaVersionError",
    "SecretError",
    "ServiceNotFoundError",
    "StorageAccessError",
    "StoreError",
    "StoreUnavailableError",
    "TaskNotFoundError",
    "TransitionLimitError",
    "TypeNotFoundError",
    "UnrepresentableError",
]

# Tracebacks and spans name the errors as programs import them.
for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
