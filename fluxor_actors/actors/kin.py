"""How far the processes of a family are that are not live here: read from the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from fluxor_actors.actors.families import Counts, counts_at_end, counts_of
from fluxor_actors.process.plan import Plan
from fluxor_actors.storage import Store
from fluxor_actors.storage.restoring import restored

__all__ = ["kin"]

_logger = logging.getLogger(__name__)


def kin(store: Store, plan_of: Callable[[str], Plan], root_id: str, live: Collection[str]) -> dict[str, Counts]:
    """The counts of a root and all its sub-workflows but those that are ``live``. It reads all their journals; one that cannot be read counts nothing."""
    found: dict[str, Counts] = {}
    family = [root_id]
    for process_id in family:
        family += [each.id for each in store.headers(parent_id=process_id)]
        journal = None if process_id in live else store.read(process_id)
        if journal is None:
            continue
        try:
            state = restored(plan_of(journal.header.definition_hash), journal, store)
        except Exception:  # what is wrong with one is no reason to tell nothing of the others
            _logger.debug("it is not known how far process %s is", process_id, exc_info=True)
        else:
            found[process_id] = counts_at_end(state) if state.status.final else counts_of(state)
    return found
