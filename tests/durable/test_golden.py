"""Journals that were written once, of every event type in every version: they are never changed, and have to replay for ever.

A new version of an event type gets new files beside these; the old ones are then read by way of its upcast.
"""

from __future__ import annotations

import json
import typing
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors.process.codec import state_from_plain, state_to_plain
from fluxor_actors.process.event_codec import VERSIONS
from fluxor_actors.process.events import Event
from tests.durable.summary import plan_of, state_of, summary_of

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))


def load(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return data


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_it_still_comes_to_the_same(path: Path) -> None:
    golden = load(path)
    assert summary_of(golden) == golden["summary"]


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_a_snapshot_on_the_way_changes_nothing(path: Path) -> None:
    state = state_of(load(path))
    text = json.dumps(state_to_plain(state), sort_keys=True)
    again = state_from_plain(plan_of(load(path)), json.loads(text))
    assert json.dumps(state_to_plain(again), sort_keys=True) == text


def test_there_is_one_of_every_type_in_every_version() -> None:
    wanted = {(kind.__name__, version) for kind in typing.get_args(Event) for version in _versions(kind.__name__)}
    found = {
        (event["type"], event["v"]) for path in GOLDEN for record in load(path)["records"] for event in record["events"]
    }
    assert wanted <= found, f"no golden journal has {sorted(wanted - found)}"


def _versions(name: str) -> range:
    return range(1, VERSIONS.get(name, 1) + 1)
