"""What certifying a workflow has shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attrs import field, frozen

from fluxor_actors.testing.findings import Finding
from fluxor_actors.testing.jobs import Kill
from fluxor_actors.testing.torture import Trial

__all__ = ["Report", "Step"]

_MOST_SHOWN = 20


@frozen(kw_only=True)
class Step:
    """One kill, and what came of the workflow.

    Attributes:
        kills: the last of them is the one that this step is about.
        findings: what is wrong.
        again: executions that began more often than they do when nobody kills them: they were under way.
    """

    kills: Sequence[Kill]
    findings: Sequence[Finding]
    again: Sequence[str] = ()


@frozen(kw_only=True)
class Report:
    """A table of effects that were lost or repeated. ``str`` gives it as text.

    Attributes:
        workflow: its name.
        calm: what came of it when nobody killed it.
        steps: one for each place where it was killed.
        left_out: places where it was not, since there are more of them than were asked for.
    """

    workflow: str
    calm: Trial
    steps: Sequence[Step] = field(factory=tuple)
    left_out: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing was lost, and nothing repeated."""
        return not self.findings

    @property
    def findings(self) -> list[Finding]:
        """All that is wrong."""
        return [*self.calm.findings, *(finding for step in self.steps for finding in step.findings)]

    def __str__(self) -> str:
        kills = sum(len(step.kills) for step in self.steps)
        lines = [f"{self.workflow}: {kills} kills at {len(self.steps)} steps", ""]
        lines += self._table()
        if self.left_out:
            lines += ["", f"{self.left_out} more steps were left out"]
        found = self.findings
        lines += [""] if found else []
        for step in self.steps:
            lines += [f"killed at {step.kills[-1]}: {finding}" for finding in step.findings]
        lines += [f"not killed: {finding}" for finding in self.calm.findings]
        if len(found) > _MOST_SHOWN:
            dropped = len(found) - _MOST_SHOWN
            lines = [*lines[: len(lines) - dropped], f"and {dropped} more"]
        return "\n".join([*lines, "", "nothing lost, nothing repeated" if self.ok else f"{len(found)} findings"])

    def _table(self) -> list[str]:
        tasks: dict[str, Counter[str]] = {}
        for key in self.calm.begun:
            tasks.setdefault(self.calm.tasks.get(key, key), Counter())["executions"] += 1
        for step in self.steps:
            for key in step.again:
                tasks.setdefault(self.calm.tasks.get(key, key), Counter())["ran again"] += 1
        for finding in self.findings:
            tasks.setdefault(self.calm.tasks.get(finding.about, finding.about), Counter())[finding.kind] += 1
        columns = ["executions", "ran again", "lost", "repeated"]
        columns += [kind for kind in ("unfinished", "differs", "journal") if any(row[kind] for row in tasks.values())]
        width = max((len(name) for name in tasks), default=4)
        lines = ["  ".join(["task".ljust(width), *columns])]
        for name, row in tasks.items():
            lines.append("  ".join([name.ljust(width), *(str(row[column]).rjust(len(column)) for column in columns)]))
        return lines
