"""What came of a simulation."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from fluxor_actors.testing.findings import Finding
from fluxor_actors.testing.simulation.chaos import Chaos

__all__ = ["Failed", "Played", "SimulationReport", "Smallest"]

_SHOWN = 12
_LINES = 30


@frozen(kw_only=True)
class Played:
    """One run of one seed.

    Attributes:
        seed: which one.
        findings: what must not be, or was not expected.
        hash: of the trace: the same for the same seed, always.
        lines: of the trace.
        states: how many processes ended how.
        deaths: how many engines died.
    """

    seed: int
    findings: tuple[Finding, ...]
    hash: str
    lines: tuple[str, ...] = field(repr=False)
    states: Mapping[str, int]
    deaths: int


@frozen(kw_only=True)
class Smallest:
    """What is left of a failing document when everything is taken away that it does not need in order to fail.

    Attributes:
        document: in YAML.
        seed: with which it fails.
        faults: what still has to go wrong.
        findings: how it fails.
        tries: how many documents were tried.
    """

    document: str
    seed: int
    faults: Chaos
    findings: tuple[Finding, ...]
    tries: int


@frozen(kw_only=True)
class Failed:
    """A seed that failed.

    Attributes:
        seed: `simulate` with ``seeds=[seed]``, and everything else the same, does exactly the same again.
        findings: what is wrong.
        hash: of the trace.
        lines: the trace.
        smallest: a smaller document that fails, too; of the first seed that failed.
    """

    seed: int
    findings: tuple[Finding, ...]
    hash: str
    lines: tuple[str, ...] = field(repr=False)
    smallest: Smallest | None = None


@frozen(kw_only=True)
class SimulationReport:
    """What `simulate` answers. Its text is what a person needs to know.

    Attributes:
        workflow: the name.
        seeds: how many were played.
        failures: the seeds that failed.
        states: how many processes ended how.
        deaths: how many engines died.
        hashes: of the trace of each seed.
    """

    workflow: str
    seeds: int
    failures: tuple[Failed, ...]
    states: Mapping[str, int]
    deaths: int
    hashes: Mapping[int, str] = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether no seed failed."""
        return not self.failures

    def check(self) -> SimulationReport:
        """Itself, if no seed failed.

        Raises:
            AssertionError: one did; the text is the report's.
        """
        if not self.ok:
            raise AssertionError(str(self))
        return self

    def __str__(self) -> str:
        ends = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        lines = [f"{self.workflow}: {self.seeds} seeds: {ends}; engines died {self.deaths} times"]
        for failed in self.failures[:_SHOWN]:
            lines += ["", f"seed {failed.seed} failed; simulate(…, seeds=[{failed.seed}]) does the same again"]
            lines += [f"  {finding}" for finding in failed.findings[:_SHOWN]]
            if failed.smallest is not None:
                lines += _shown(failed.smallest)
        if len(self.failures) > _SHOWN:
            lines += ["", f"and {len(self.failures) - _SHOWN} more"]
        if self.failures:
            first = self.failures[0]
            lines += ["", f"the last of what happened with seed {first.seed}:"]
            lines += [f"  {line:.200}" for line in first.lines[-_LINES:]]
        return "\n".join(lines)


def _shown(smallest: Smallest) -> list[str]:
    faults = ", ".join(smallest.faults.kinds) or "nothing going wrong"
    lines = [f"  smaller, after {smallest.tries} tries, with seed {smallest.seed} and {faults}:"]
    lines += [f"    {line}" for line in smallest.document.splitlines()]
    return [*lines, *(f"    → {finding}" for finding in smallest.findings[:3])]
