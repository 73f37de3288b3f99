"""What a test works at: a simulation whose last run is at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from fluxor_actors.process.snapshot import ProcessOutput
from fluxor_actors.process.states import ProcessState
from fluxor_actors.testing.findings import Finding
from fluxor_actors.testing.simulation.invariants import broken
from fluxor_actors.testing.simulation.listening import errors_of
from fluxor_actors.testing.simulation.run import SimulatedRun
from fluxor_actors.testing.simulation.world import Simulation

__all__ = ["Bench", "checked"]

F = TypeVar("F", bound=Callable[..., Any])


class Bench(Simulation):
    """The fixture ``fluxor``: a `Simulation`, with what can be done to the run that was started last, and expected of it, besides."""

    @property
    def last(self) -> SimulatedRun:
        """The run that was started last.

        Raises:
            AssertionError: none was.
        """
        if not self.runs:
            raise AssertionError("no workflow was run yet: fluxor.run(workflow) comes first")
        return self.runs[-1]

    def does(self, name: str) -> Callable[[F], F]:
        """Mark a function of the test as the action ``service:method``."""

        def mark(function: F) -> F:
            self.action(name, function)
            return function

        return mark

    # Of the last run; see `SimulatedRun`.

    @property
    def state(self) -> ProcessState:
        """Its state."""
        return self.last.state

    @property
    def output(self) -> dict[str, Any]:
        """The values of its session."""
        return self.last.output

    @property
    def errors(self) -> dict[str, str]:
        """What has gone wrong, by task."""
        return self.last.errors

    def approve(self, what: str = "", *, reason: str = "", by: str | None = None, args: Any = None) -> None:
        """Approve what waits for it: a task, an action, or whatever is the oldest."""
        self.last.approve(what, reason=reason, by=by, args=args)

    def reject(self, what: str = "", *, reason: str = "", by: str | None = None) -> None:
        """Reject what waits for approval."""
        self.last.reject(what, reason=reason, by=by)

    def signal(self, name: str, value: Any = None) -> None:
        """Send it a signal."""
        self.last.signal(name, value)

    def pause(self) -> None:
        """Start nothing new."""
        self.last.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        self.last.resume()

    def cancel(self, reason: str = "") -> None:
        """Stop, but for ``finally``."""
        self.last.cancel(reason)

    def finish(self, within: float | str = "365d") -> ProcessOutput:
        """Let time pass until it has ended."""
        return self.last.finish(within)

    def result(self, within: float | str = "365d") -> dict[str, Any]:
        """Let time pass until it has completed, and give its output."""
        return self.last.result(within)

    def ran(self, *tasks: str) -> bool:
        """Expect that tasks have completed, each before the next began."""
        return self.last.ran(*tasks)

    def never_ran(self, *tasks: str) -> bool:
        """Expect that no action of these tasks was called."""
        return self.last.never_ran(*tasks)


@contextmanager
def checked(bench: Bench) -> Iterator[Bench]:
    """A bench at work. In the end what always has to hold is checked.

    Raises:
        AssertionError: it does not.
    """
    findings: list[Finding] = []
    with bench, errors_of(bench, findings):
        yield bench
        bench.calm()
        bench.settle()
        findings += broken(bench)
    if findings:
        raise AssertionError("\n".join(map(str, findings)))
