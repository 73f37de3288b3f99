"""Asking people: what a request and a decision are, and who may decide. Pure; imports the ground floor only.

The gate that carries requests to people is an actor, and the service is `fluxor_actors.engine`'s.
"""

from fluxor_actors.approval.model import Decision, Request

__all__ = ["Decision", "Request"]
