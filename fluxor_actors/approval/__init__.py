"""Asking people: what a request and a decision are, and who may decide. Pure; imports the ground floor only.

The gate that carries requests to people is an actor, and the service is `fluxor_actors.engine`'s.
"""

from fluxor_actors.approval.codec import Filed, filed_from_text, filed_to_text
from fluxor_actors.approval.model import Ballot, Decision, Request
from fluxor_actors.approval.rules import agreeing, authorise, digest_of, out_of_reach, person, quorum_of, request_id

__all__ = [
    "Ballot",
    "Decision",
    "Filed",
    "Request",
    "agreeing",
    "authorise",
    "digest_of",
    "filed_from_text",
    "filed_to_text",
    "out_of_reach",
    "person",
    "quorum_of",
    "request_id",
]
