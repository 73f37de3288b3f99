"""The web application of the examples, through its test client and through a threaded server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.request import Request, urlopen

import pytest
from werkzeug.serving import make_server

from examples.web_app.app import DOCUMENT, create, create_app, welcome
from fluxor_actors import Fluxor

WAIT = 30.0


@pytest.fixture
def engine() -> Iterator[Fluxor]:
    with Fluxor(services=[create, welcome], workers=2) as engine:
        yield engine


def final_state(engine: Fluxor, process_id: str) -> str:
    """The state in which the process ends. Starting it again by its id gives the process that there is."""
    workflow = engine.runtime.load_workflow(str(DOCUMENT))
    return engine.runtime.start_process(workflow, process_id=process_id).wait(timeout=WAIT).state


def test_sign_up_through_the_client(engine: Fluxor) -> None:
    client = create_app(engine).test_client()
    started = client.post("/signups", json={"email": "ada@example.com"})
    assert (started.status_code, started.get_json()) == (202, {"id": "signup-ada@example.com"})
    assert client.get("/signups/signup-ada@example.com").get_json()["state"] == "running"
    assert client.post("/signups/signup-ada@example.com/confirm", json={"name": "Ada"}).status_code == 202
    assert final_state(engine, "signup-ada@example.com") == "completed"
    shown = client.get("/signups/signup-ada@example.com").get_json()
    assert (shown["state"], shown["greeting"]) == ("completed", "Welcome, Ada <ada@example.com>!")


def test_a_form_sent_twice_starts_one_process(engine: Fluxor) -> None:
    client = create_app(engine).test_client()
    answers = [client.post("/signups", json={"email": "ada@example.com"}).get_json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert [process.id for process in engine.runtime.processes()] == ["signup-ada@example.com"]


def test_an_unknown_process_is_not_found(engine: Fluxor) -> None:
    answer = create_app(engine).test_client().get("/signups/signup-nobody")
    assert answer.status_code == 404
    assert "signup-nobody" in answer.get_json()["error"]


def test_many_requests_at_once_on_a_threaded_server(engine: Fluxor) -> None:
    server = make_server("127.0.0.1", 0, create_app(engine), threaded=True)
    serving = threading.Thread(target=server.serve_forever, name="server")
    serving.start()

    def call(path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        url = f"http://127.0.0.1:{server.server_port}{path}"
        with urlopen(Request(url, data=data, headers=headers), timeout=WAIT) as answer:
            found = json.load(answer)
        assert isinstance(found, dict)
        return found

    def sign_up(number: int) -> str:
        started = call("/signups", {"email": f"user{number}@example.com"})
        call(f"/signups/{started['id']}/confirm", {"name": f"User {number}"})
        assert final_state(engine, started["id"]) == "completed"
        return str(call(f"/signups/{started['id']}")["greeting"])

    try:
        with ThreadPoolExecutor(8) as clients:
            greetings = list(clients.map(sign_up, range(40), timeout=WAIT))
    finally:
        server.shutdown()
        serving.join(WAIT)
        server.server_close()
    assert greetings == [f"Welcome, User {number} <user{number}@example.com>!" for number in range(40)]
    assert not serving.is_alive()
