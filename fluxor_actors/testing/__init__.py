"""For tests of your own: `simulate` runs a workflow in a thousand orders, and crashes it in between; `certify` kills it at every durable step.

Also here: `Simulation`, an engine on one thread under a clock that jumps; what scripted actions do; `Torture`, which kills programs where and when it
is told to; clocks that stand still. The plugin for pytest is in `fluxor_actors.testing.plugin`. May import everything but the command line.

Names are loaded when they are first used, so that a run of pytest that needs none of this does not pay for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fluxor_actors.clock import Clock, ManualClock, SystemClock
    from fluxor_actors.faults import FAULT_POINTS, Faults
    from fluxor_actors.testing.certifying import certify
    from fluxor_actors.testing.findings import Finding
    from fluxor_actors.testing.jobs import Job, Kill
    from fluxor_actors.testing.report import Report, Step
    from fluxor_actors.testing.simulation.behaviour import (
        Behaviour,
        Call,
        SimulatedError,
        chooses,
        dies,
        fails,
        hangs,
        returns,
        takes,
    )
    from fluxor_actors.testing.simulation.chaos import CALM, CHAOS, Chaos
    from fluxor_actors.testing.simulation.clock import VirtualClock
    from fluxor_actors.testing.simulation.outcome import Failed, SimulationReport
    from fluxor_actors.testing.simulation.people import helpful
    from fluxor_actors.testing.simulation.run import SimulatedRun
    from fluxor_actors.testing.simulation.simulating import simulate
    from fluxor_actors.testing.simulation.world import Simulation
    from fluxor_actors.testing.torture import Torture, Trial

_HOMES = {
    "Behaviour": "testing.simulation.behaviour",
    "CALM": "testing.simulation.chaos",
    "CHAOS": "testing.simulation.chaos",
    "Call": "testing.simulation.behaviour",
    "Chaos": "testing.simulation.chaos",
    "Clock": "clock",
    "FAULT_POINTS": "faults",
    "Failed": "testing.simulation.outcome",
    "Faults": "faults",
    "Finding": "testing.findings",
    "Job": "testing.jobs",
    "Kill": "testing.jobs",
    "ManualClock": "clock",
    "Report": "testing.report",
    "SimulatedError": "testing.simulation.behaviour",
    "SimulatedRun": "testing.simulation.run",
    "Simulation": "testing.simulation.world",
    "SimulationReport": "testing.simulation.outcome",
    "Step": "testing.report",
    "SystemClock": "clock",
    "Torture": "testing.torture",
    "Trial": "testing.torture",
    "VirtualClock": "testing.simulation.clock",
    "certify": "testing.certifying",
    "chooses": "testing.simulation.behaviour",
    "dies": "testing.simulation.behaviour",
    "fails": "testing.simulation.behaviour",
    "hangs": "testing.simulation.behaviour",
    "helpful": "testing.simulation.people",
    "returns": "testing.simulation.behaviour",
    "simulate": "testing.simulation.simulating",
    "takes": "testing.simulation.behaviour",
}

__all__ = [
    "CALM",
    "CHAOS",
    "FAULT_POINTS",
    "Behaviour",
    "Call",
    "Chaos",
    "Clock",
    "Failed",
    "Faults",
    "Finding",
    "Job",
    "Kill",
    "ManualClock",
    "Report",
    "SimulatedError",
    "SimulatedRun",
    "Simulation",
    "SimulationReport",
    "Step",
    "SystemClock",
    "Torture",
    "Trial",
    "VirtualClock",
    "certify",
    "chooses",
    "dies",
    "fails",
    "hangs",
    "helpful",
    "returns",
    "simulate",
    "takes",
]


def __getattr__(name: str) -> Any:
    """Load a name when it is first used."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"fluxor_actors.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
