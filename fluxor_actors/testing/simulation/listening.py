"""Errors that an engine logs in a simulation: each is a finding."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from fluxor_actors.errors import OwnershipLostError, StoreUnavailableError
from fluxor_actors.testing.findings import Finding
from fluxor_actors.testing.simulation.world import Simulation

__all__ = ["errors_of"]

_INTERNAL = "fluxor_actors"
# What an action of the application logs is its own affair.
_OUTSIDE = "fluxor_actors.action"


class _Listening(logging.Handler):
    """Notes errors that the engine logs, but for those that the simulation has made."""

    def __init__(self, simulation: Simulation, findings: list[Finding]) -> None:
        super().__init__(logging.ERROR)
        self._simulation = simulation
        self._findings = findings

    def emit(self, record: logging.LogRecord) -> None:
        error = None if record.exc_info is None else record.exc_info[1]
        made = isinstance(error, (StoreUnavailableError, OwnershipLostError))
        if not made and not self._simulation.dying and record.name != _OUTSIDE:
            self._findings.append(Finding("log", record.name, f"{record.getMessage()} ({error!r})"))


@contextmanager
def errors_of(simulation: Simulation, findings: list[Finding]) -> Iterator[None]:
    """Have errors that the engine logs noted as findings."""
    logger, listening = logging.getLogger(_INTERNAL), _Listening(simulation, findings)
    logger.addHandler(listening)
    try:
        yield
    finally:
        logger.removeHandler(listening)
