"""What is joined to an engine, and what it needs of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from fluxor_actors.definition.model import Workflow


__all__ = ["Attachable", "Engine", "Events", "Handle", "Starting", "Subscription"]


class Handle(Protocol):
    """A process that was started."""

    def on_end(self, call: Callable[[], object]) -> None:
        """Call when the process has ended, or the engine stops; at once if that is so already."""
        ...


class Starting(Protocol):
    """Where processes are started."""

    def load_workflow(self, location: str) -> Workflow: ...

    def start_process(
        self, workflow: Workflow, initial_state: Mapping[str, Any] | None = None, *, process_id: str | None = None
    ) -> Handle: ...


class Subscription(Protocol):
    """What is heard. Called, it ends."""

    @property
    def dropped(self) -> int: ...

    def __call__(self) -> None: ...


class Events(Protocol):
    """Where events are heard."""

    def subscribe(
        self,
        handler: Callable[[Any], object],
        *,
        process_id: str | None = None,
        event_type: str | tuple[str, ...] | None = None,
    ) -> Subscription: ...


class Engine(Protocol):
    """An engine, as far as it is needed here."""

    @property
    def runtime(self) -> Starting: ...

    @property
    def events(self) -> Events: ...


class Attachable(Protocol):
    """What ``engine.attach`` takes."""

    def start(self, engine: Any) -> None:
        """The engine runs."""
        ...

    def detach(self, timeout: float) -> None:
        """The engine stops: make no more work for it. Called before running actions are waited for, and twice: with 0 seconds to begin, then with those that are left."""
        ...
