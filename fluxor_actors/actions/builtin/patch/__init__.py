"""``system/patch``: changes of files under a folder, all or none, that can be looked at and taken back.

Two notations are read (`unified`, `enveloped`) into sections (`section`), which are worked out in memory (`change`) before a file is touched. A
`Workdir` knows which paths are under it, a `Ledger` keeps there what the files of a process were before. Imports what `fluxor_actors.actions` may.
"""

from __future__ import annotations

from fluxor_actors.actions.builtin.patch.service import PatchService

__all__ = ["PatchService"]
