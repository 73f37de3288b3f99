"""For tests of your own: `certify` kills a workflow at every durable step, and says what was lost or repeated.

Also here: `Torture`, which kills programs where and when it is told to, and clocks that stand still. May import everything but the command line.
"""

from __future__ import annotations

from fluxor_actors.clock import Clock, ManualClock, SystemClock
from fluxor_actors.faults import FAULT_POINTS, Faults
from fluxor_actors.testing.certifying import certify
from fluxor_actors.testing.findings import Finding
from fluxor_actors.testing.jobs import Job, Kill
from fluxor_actors.testing.report import Report, Step
from fluxor_actors.testing.torture import Torture, Trial

__all__ = [
    "FAULT_POINTS",
    "Clock",
    "Faults",
    "Finding",
    "Job",
    "Kill",
    "ManualClock",
    "Report",
    "Step",
    "SystemClock",
    "Torture",
    "Trial",
    "certify",
]
