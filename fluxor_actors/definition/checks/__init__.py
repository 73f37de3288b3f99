"""The static checks of a definition, one concern a module. Each reads a `Check` and adds problems to it.

May import the rest of `fluxor_actors.definition`, but for what reads and writes documents: those import it.
"""

from __future__ import annotations

from fluxor_actors.definition.checks.validate import Actions, MethodSignature, check_workflow, validate

__all__ = ["Actions", "MethodSignature", "check_workflow", "validate"]
