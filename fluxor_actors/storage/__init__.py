"""Where the truth is kept: journals of processes, and the definitions that they are pinned to.

It may import what a process is, and nothing of actors.
"""

from fluxor_actors.storage.approval_records import decision_of, filed_of, record_of, records_of, request_of
from fluxor_actors.storage.memory import MemoryStore
from fluxor_actors.storage.store import Append, ApprovalRecord, Header, Journal, Record, Store

__all__ = [
    "Append",
    "ApprovalRecord",
    "Header",
    "Journal",
    "MemoryStore",
    "Record",
    "Store",
    "decision_of",
    "filed_of",
    "record_of",
    "records_of",
    "request_of",
]
