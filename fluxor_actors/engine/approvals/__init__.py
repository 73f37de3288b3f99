"""Approval requests as an application sees them: ``engine.approvals``, and of use without an engine."""

from fluxor_actors.engine.approvals.service import ApprovalService

__all__ = ["ApprovalService"]
