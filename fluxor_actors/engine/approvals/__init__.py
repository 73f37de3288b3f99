"""Approval requests as an application sees them: ``engine.approvals``, and of use without an engine.

May import the actors and what is below them, and of the façade how commands are brought to processes.
"""

from fluxor_actors.engine.approvals.service import ApprovalService

__all__ = ["ApprovalService"]
