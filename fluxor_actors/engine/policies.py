"""Policies as they are given to an engine or a call: read, and if need be complained of."""

from __future__ import annotations

import logging
from typing import Any

from fluxor_actors.policy import Policy

__all__ = ["read_policy"]

_logger = logging.getLogger(__name__)


def read_policy(value: Any, owner: str) -> Policy | None:
    """The policy that a value stands for; None when it lets everything run.

    One that cannot be read denies everything, and the log says so.

    Args:
        value: a `Policy`, a mode, a mapping, a document's rule; None: none.
        owner: whose it is, for the log.

    Example:
        >>> read_policy("ask", "the engine")
        Policy(mode='ask', allow=(), block=())
    """
    policy = Policy.of(value)
    if policy is None or policy.silent:
        return None
    if policy.problem is not None:
        _logger.error("%s's policy cannot be read, and denies every action: %s", owner, policy.problem)
    return policy
