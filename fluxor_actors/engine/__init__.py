"""The façade: `Fluxor`, its `Runtime`, and handles. It may import everything below; command line and testing tools import it."""

from fluxor_actors.engine.facade import Fluxor
from fluxor_actors.engine.handle import ExecutionHandle, ProcessHandle
from fluxor_actors.engine.runtime import Runtime

__all__ = ["ExecutionHandle", "Fluxor", "ProcessHandle", "Runtime"]
