"""The page for approvals of the examples, through its test client."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from examples.approvals_web.app import create_app, refund
from fluxor_actors import Fluxor
from tests.markdown import ROOT, blocks

WAIT = 30.0
README = ROOT / "examples" / "approvals_web" / "README.md"
JSON = re.compile(r"-u (\w+): (-X POST )?localhost:8000(\S+)(?:.*-d '(.*)')?")


@pytest.fixture
def engine() -> Iterator[Fluxor]:
    with Fluxor(services=[refund], workers=2) as engine:
        yield engine


@pytest.fixture
def client(engine: Fluxor) -> FlaskClient:
    return create_app(engine).test_client()


def who(name: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:'.encode()).decode()}"}


def asked(client: FlaskClient, engine: Fluxor, by: str = "cyd", amount: int = 90) -> tuple[str, str]:
    """The id of a process, and that of its request."""
    started = client.post("/refunds", json={"order": "A-7", "amount": amount}, headers=who(by))
    assert started.status_code == 202
    process_id = started.get_json()["id"]
    for _ in iter(lambda: engine.approvals.queue.consume(timeout=WAIT), None):
        found = client.get(f"/approvals?process={process_id}", headers=who("ada")).get_json()["approvals"]
        if found:
            return process_id, found[0]["id"]
    raise AssertionError("nobody was asked")


def test_the_commands_of_the_readme(client: FlaskClient, engine: Fluxor) -> None:
    commands, shown = [block.text for block in blocks(README)][1:3]
    request_id, answers = "ID", []
    for user, posted, path, body in JSON.findall(commands):
        call = client.post if posted else client.get
        given: dict[str, Any] = {"json": json.loads(body)} if body else {}
        answer = call(path.replace("ID", request_id), headers=who(user), **given)
        if path == "/refunds":
            assert engine.approvals.queue.consume(timeout=WAIT)
        if path == "/approvals":
            request_id = answer.get_json()["approvals"][0]["id"]
        answers.append(answer.get_data(as_text=True).strip().replace(request_id, "ID"))
    assert answers[-2:] == shown.splitlines()


def test_two_people_agree_on_the_page(client: FlaskClient, engine: Fluxor) -> None:
    process_id, request_id = asked(client, engine)
    page = client.get("/", headers=who("ada")).get_data(as_text=True)
    assert "1 waiting, ada" in page
    assert "shop:refund" in page
    assert '"amount": 90' in page
    answer = client.post(f"/{request_id}", data={"decision": "approve"}, headers=who("ada"))
    assert (answer.status_code, answer.location) == (302, "/")
    assert "approved by ada" in client.get("/", headers=who("bob")).get_data(as_text=True)
    assert client.post(f"/{request_id}", data={"decision": "approve"}, headers=who("bob")).status_code == 302
    assert engine.runtime.handle(process_id).wait(WAIT).output["pay"] == "90 for A-7"
    assert "0 waiting" in client.get("/", headers=who("bob")).get_data(as_text=True)


def test_one_rejects_with_a_reason(client: FlaskClient, engine: Fluxor) -> None:
    process_id, request_id = asked(client, engine)
    client.post(f"/{request_id}", data={"decision": "reject", "reason": "too much"}, headers=who("eve"))
    output = engine.runtime.handle(process_id).wait(WAIT)
    assert "rejected by eve: too much" in output.errors["refund/pay"]
    again = client.post(f"/approvals/{request_id}", json={"approved": True}, headers=who("ada"))
    assert again.status_code == 409


def test_with_other_arguments(client: FlaskClient, engine: Fluxor) -> None:
    process_id, request_id = asked(client, engine)
    changed = {"approved": True, "args": {"order": "A-7", "amount": 45}}
    for name, decided in (("ada", False), ("bob", True)):
        answer = client.post(f"/approvals/{request_id}", json=changed, headers=who(name))
        assert answer.get_json() == {"id": request_id, "decided": decided}
    assert engine.runtime.handle(process_id).wait(WAIT).output["pay"] == "45 for A-7"


def test_refusals_are_status_codes(client: FlaskClient, engine: Fluxor) -> None:
    _, request_id = asked(client, engine, by="eve")
    yes = {"approved": True}
    assert client.get("/").status_code == 401
    assert client.post(f"/approvals/{request_id}", json=yes).status_code == 401
    assert client.post(f"/approvals/{request_id}", json=yes, headers=who("eve")).status_code == 403
    assert client.post(f"/{request_id}", data={"decision": "approve"}, headers=who("mallory")).status_code == 403
    assert client.post("/approvals/unknown", json=yes, headers=who("ada")).status_code == 404
    wrong = {"approved": False, "args": {}}
    assert client.post(f"/approvals/{request_id}", json=wrong, headers=who("ada")).status_code == 400
    assert len(engine.approvals.list_pending()) == 1


def test_what_is_asked_cannot_write_into_the_page(client: FlaskClient, engine: Fluxor) -> None:
    engine.approvals.request_approval(action="<script>", args={"note": "</pre><script>alert(1)</script>"})
    page = client.get("/", headers=who("ada")).get_data(as_text=True)
    assert "<script>" not in page
