"""YAML's merge key ``<<``: takes over the keys of one mapping, or of several in a list."""

from __future__ import annotations

from collections.abc import Iterable

from fluxor_actors.definition.nodes import Entry, MappingNode, SequenceNode, kind_of
from fluxor_actors.definition.problems import Problems

__all__ = ["merge_entries"]


def merge_entries(entries: Iterable[Entry], problems: Problems) -> tuple[Entry, ...]:
    """The entries with ``<<`` replaced, at its place, by what it takes over. Keys of the mapping itself win.

    Of several mappings in a list the earlier wins. A quoted ``"<<"`` is an ordinary key.
    """
    listed = tuple(entries)
    if not any(entry.key == "<<" and entry.plain for entry in listed):
        return listed
    taken = {entry.key for entry in listed if not (entry.key == "<<" and entry.plain)}
    merged: list[Entry] = []
    for entry in listed:
        if not (entry.key == "<<" and entry.plain):
            merged.append(entry)
            continue
        sources = entry.value.items if isinstance(entry.value, SequenceNode) else (entry.value,)
        for source in sources:
            if not isinstance(source, MappingNode):
                problems.error(f"`<<` merges mappings; found {kind_of(source)}", source.position)
                continue
            fresh = [each for each in source.entries if each.key not in taken]
            taken.update(each.key for each in fresh)
            merged.extend(fresh)
    return tuple(merged)
