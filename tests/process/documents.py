"""Documents that use every construct: see `tests.generated.documents`, where they are made."""

from __future__ import annotations

from tests.generated.documents import Tree, documents, plan_of_document

__all__ = ["Tree", "documents", "plan_of_document"]
