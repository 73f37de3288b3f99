"""What a workflow is: frozen values, one class a notion, fields named as the document's keys in ``snake_case``.

A model says what the document said; nothing is resolved, expanded or checked here. Durations are seconds; they may be
given as text (``1h30m``) or as `datetime.timedelta` too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from attrs import evolve, field, frozen

from fluxor_actors.definition.position import Position
from fluxor_actors.durations import parse_duration

__all__ = [
    "Action",
    "Approval",
    "Await",
    "AwaitMode",
    "Backoff",
    "Emit",
    "Input",
    "Kind",
    "Matrix",
    "Merge",
    "OnCrash",
    "OnExpire",
    "Parameter",
    "PolicyRule",
    "Retry",
    "Task",
    "Template",
    "Transition",
    "Workflow",
]


class Kind(StrEnum):
    """How the children of a task run."""

    SEQUENCE = "Sequence"
    PARALLEL = "Parallel"
    GRAPH = "Graph"


class AwaitMode(StrEnum):
    """When a wait for a group is over."""

    ALL = "all"
    FIRST = "first"
    ANY_ERROR = "anyError"


class Merge(StrEnum):
    """What a group's output is made of."""

    APPEND = "append"
    REPLACE = "replace"


class Backoff(StrEnum):
    """How the delay between attempts grows."""

    NONE = "none"
    FIXED = "fixed"
    EXPONENTIAL = "exponential"


class OnCrash(StrEnum):
    """What becomes of an attempt that was under way when the engine died."""

    RETRY = "retry"
    FAIL = "fail"
    ASK = "ask"


class OnExpire(StrEnum):
    """What becomes of an approval request that nobody answered in time."""

    REJECT = "reject"
    APPROVE = "approve"
    FAIL = "fail"


def _tuple(value: Iterable[Any] | str) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _seconds(value: float | str | timedelta | None) -> float | None:
    # Numbers are kept as they are: whether they are in range is for validation to say.
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, str):
        return parse_duration(value)
    return value


def _delay(value: float | str | timedelta) -> float:
    return _seconds(value) or 0.0


def _condition(value: str | bool | None) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _position() -> Any:
    return field(default=None, eq=False, repr=False)


@frozen(kw_only=True)
class Parameter:
    """One entry of ``init``, ``post`` or a template's ``selector``.

    ``name`` is as written, without the brackets: ``a.b.c`` sets inside a mapping. ``append`` is the ``name[]`` form.
    ``type``, ``kind`` and ``location`` come from ``name[Type](kind/location)``.
    """

    name: str
    value: Any = None
    append: bool = False
    type: str | None = None
    kind: str | None = None
    location: str | None = None
    position: Position | None = _position()


@frozen(kw_only=True)
class Input:
    """One declared input of a workflow."""

    name: str
    type: str | None = None
    required: bool = False
    default: Any = None
    description: str = ""
    position: Position | None = _position()


@frozen(kw_only=True)
class Action:
    """The method of a service that a task calls, and its input before expansion."""

    service: str
    method: str
    input: Any = None
    position: Position | None = _position()


@frozen(kw_only=True)
class Transition:
    """One ``goto``: where control moves if ``when`` holds (None: always)."""

    task: str
    when: str | None = field(default=None, converter=_condition)
    position: Position | None = _position()


@frozen(kw_only=True)
class Retry:
    """Whether, and when, a failed attempt is followed by another. Delays in seconds."""

    type: Backoff = field(default=Backoff.FIXED, converter=Backoff)
    max_retries: int = 3
    delay: float = field(default=0.0, converter=_delay)
    multiplier: float = 2.0
    max_delay: float | None = field(default=None, converter=_seconds)
    jitter: float = 0.0
    retry_on: tuple[str, ...] = field(default=(), converter=_tuple)
    position: Position | None = _position()


@frozen(kw_only=True)
class Template:
    """Repeats ``task`` over the value of the first selector."""

    selector: tuple[Parameter, ...] = field(converter=tuple[Parameter, ...])
    task: Task
    position: Position | None = _position()


@frozen(kw_only=True)
class Emit:
    """Starts ``task`` once for each element of ``for_each``, bound to the name ``as_``."""

    for_each: Any
    task: Task
    as_: str = "item"
    position: Position | None = _position()


@frozen(kw_only=True)
class Await:
    """Waits for a group, or for a signal. ``timeout`` in seconds."""

    mode: AwaitMode = field(default=AwaitMode.ALL, converter=AwaitMode)
    merge: Merge = field(default=Merge.APPEND, converter=Merge)
    timeout: float | None = field(default=None, converter=_seconds)
    on: str | None = None
    signal: str | None = None
    position: Position | None = _position()


@frozen(kw_only=True)
class Matrix:
    """Runs the task once for each combination of the axes' values."""

    axes: Mapping[str, tuple[Any, ...]]
    include: tuple[Mapping[str, Any], ...] = field(default=(), converter=_tuple)
    exclude: tuple[Mapping[str, Any], ...] = field(default=(), converter=_tuple)
    fail_fast: bool = True
    position: Position | None = _position()


@frozen(kw_only=True)
class Approval:
    """Who must agree before the action runs. ``expires_in`` in seconds."""

    required: bool = True
    approvers: tuple[str, ...] = field(default=(), converter=_tuple)
    quorum: int = 1
    expires_in: float | None = field(default=None, converter=_seconds)
    on_expire: OnExpire = field(default=OnExpire.REJECT, converter=OnExpire)
    position: Position | None = _position()


@frozen(kw_only=True)
class PolicyRule:
    """A document's ``policy`` as written; what it means is decided in `fluxor_actors.policy`."""

    mode: str | None = None
    allow: tuple[str, ...] = field(default=(), converter=_tuple)
    block: tuple[str, ...] = field(default=(), converter=_tuple)
    position: Position | None = _position()


@frozen(kw_only=True)
class Task:
    """One task: an action, or children, or a template, or an emit; or none of them."""

    name: str
    id: str | None = None
    namespace: str | None = None
    type_name: str | None = None
    description: str = ""
    action: Action | None = None
    input: Any = None
    init: tuple[Parameter, ...] = field(default=(), converter=tuple[Parameter, ...])
    when: str | None = field(default=None, converter=_condition)
    depends_on: tuple[str, ...] = field(default=(), converter=_tuple)
    tasks: tuple[Task, ...] = field(default=(), converter=tuple["Task", ...])
    kind: Kind = field(default=Kind.SEQUENCE, converter=Kind)
    async_: bool = False
    concurrency: int | None = None
    template: Template | None = None
    emit: Emit | None = None
    await_: Await | None = None
    matrix: Matrix | None = None
    post: tuple[Parameter, ...] = field(default=(), converter=tuple[Parameter, ...])
    goto: tuple[Transition, ...] = field(default=(), converter=tuple[Transition, ...])
    retry: Retry | None = None
    timeout: float | None = field(default=None, converter=_seconds)
    heartbeat_timeout: float | None = field(default=None, converter=_seconds)
    schedule_in: float | None = field(default=None, converter=_seconds)
    auto_pause: bool = False
    approval: Approval | None = None
    on_crash: OnCrash = field(default=OnCrash.RETRY, converter=OnCrash)
    position: Position | None = _position()

    def __attrs_post_init__(self) -> None:
        # The input may be given to the task or to its action; both then show it.
        if self.action is not None and self.action.input != self.input:
            if self.action.input is None:
                object.__setattr__(self, "action", evolve(self.action, input=self.input))
            elif self.input is None:
                object.__setattr__(self, "input", self.action.input)


@frozen(kw_only=True)
class Workflow:
    """A whole document. ``pipeline`` holds the root task's children, ``kind`` and ``concurrency`` are the root's.

    Example:
        >>> workflow = Workflow(name="hello", pipeline=(Task(name="greet"),))
        >>> workflow.pipeline[0].name
        'greet'
    """

    name: str
    description: str = ""
    version: str = ""
    type_name: str | None = None
    import_: Mapping[str, str] = field(factory=dict)
    inputs: tuple[Input, ...] = field(default=(), converter=tuple[Input, ...])
    init: tuple[Parameter, ...] = field(default=(), converter=tuple[Parameter, ...])
    pipeline: tuple[Task, ...] = field(default=(), converter=tuple[Task, ...])
    kind: Kind = field(default=Kind.SEQUENCE, converter=Kind)
    concurrency: int | None = None
    dependencies: tuple[Task, ...] = field(default=(), converter=tuple[Task, ...])
    post: tuple[Parameter, ...] = field(default=(), converter=tuple[Parameter, ...])
    config: Mapping[str, Any] = field(factory=dict)
    policy: PolicyRule | None = None
    labels: Mapping[str, str] = field(factory=dict)
    retry: Retry | None = None
    timeout: float | None = field(default=None, converter=_seconds)
    auto_pause: bool = False
    source: str | None = field(default=None, eq=False, repr=False)
    position: Position | None = _position()
