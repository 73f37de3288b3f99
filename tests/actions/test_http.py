"""`http:request`, against a server of our own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any
from urllib.parse import quote, unquote

import pytest

from fluxor_actors import ActionCancelledError, ActionInputError, Fluxor, HttpError
from fluxor_actors.actions import Actions, Cancellation
from fluxor_actors.actions.builtin import HttpService
from tests.actions.support import new_context, run


class _Silence:
    """A request that is not answered until the test is over."""

    def __init__(self) -> None:
        self.over = threading.Event()


SILENT: SimpleQueue[_Silence] = SimpleQueue()


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        if path.startswith("/status/"):
            self._answer(int(path[8:]), b"no luck", "text/plain")
        elif path == "/to":
            self.send_response(302)
            self.send_header("Location", self.path.partition("?")[2])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path == "/large":
            self._answer(200, b"x" * (16 * 1024 * 1024 + 1), "text/plain")
        elif path == "/broken":
            self._answer(200, b"{", "application/json")
        elif path == "/as":
            kind, _, text = unquote(self.path.partition("?")[2]).partition("|")
            self._answer(200, text.encode("latin-1"), kind)
        elif path == "/packed":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", "10")
            self.end_headers()
            self.wfile.write(b"not packed")
        elif path in ("/silent", "/drops"):
            silence = _Silence()
            SILENT.put(silence)
            if path == "/drops":
                self.send_response(200)
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(b"x")
            silence.over.wait(30)
            self.close_connection = True
        elif path == "/latin":
            self._answer(200, b"caf\xe9\0", "text/plain; charset=latin-1")
        else:
            told = {
                "method": self.command,
                "path": self.path,
                "body": body,
                "headers": {k.lower(): v for k, v in self.headers.items()},
            }
            self._answer(200, json.dumps(told).encode(), "application/json")

    do_GET = do_PUT = do_POST  # noqa: N815 - the server looks for these names

    def _answer(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


ACTIONS = Actions([HttpService()])


def request(url: str, actions: Actions = ACTIONS, context: Any = None, **options: Any) -> Any:
    return run(actions, "http:request", {"url": url, **options}, context)


def test_get(server: str) -> None:
    result = request(f"{server}/a?x=1", query={"y": [2, 3], "z": "ä"}, headers={"X-Mine": "1"})
    assert (result["status"], result["ok"], result["retryable"]) == (200, True, False)
    assert result["headers"]["content-type"] == "application/json"
    assert result["json"]["method"] == "GET"
    assert result["json"]["path"] == "/a?x=1&y=2&y=3&z=%C3%A4"
    assert result["json"]["headers"]["x-mine"] == "1"
    assert json.loads(result["text"]) == result["json"]


def test_bodies(server: str) -> None:
    sent = request(server, method="post", json={"a": [1, None]})["json"]
    assert (sent["method"], json.loads(sent["body"]), sent["headers"]["content-type"]) == (
        "POST",
        {"a": [1, None]},
        "application/json",
    )
    assert request(server, method="PUT", body="héllo")["json"]["body"] == "héllo"
    with pytest.raises(ActionInputError, match="body and json"):
        request(server, body="x", json=1)


def test_the_key_of_the_execution(server: str) -> None:
    context = new_context(idempotency_key="p1/order/ship")
    assert (
        request(server, context=context, idempotencyKey=True)["json"]["headers"]["idempotency-key"] == "p1/order/ship"
    )
    assert "idempotency-key" not in request(server)["json"]["headers"]


@pytest.mark.parametrize(("status", "retryable"), [(404, False), (500, True), (503, True), (429, True), (400, False)])
def test_statuses(server: str, status: int, retryable: bool) -> None:
    result = request(f"{server}/status/{status}")
    assert (result["status"], result["ok"], result["retryable"], result["text"]) == (
        status,
        False,
        retryable,
        "no luck",
    )
    assert result["json"] is None
    with pytest.raises(HttpError, match=f"status {status}") as caught:
        request(f"{server}/status/{status}", raiseForStatus=True)
    assert (caught.value.status, caught.value.retryable) == (status, retryable)


def test_redirects(server: str) -> None:
    assert request(f"{server}/to?/b")["status"] == 302
    assert request(f"{server}/to?/b", followRedirects=True)["json"]["path"] == "/b"
    with pytest.raises(HttpError) as caught:
        request(f"{server}/to?/to", followRedirects=True)
    assert not caught.value.retryable or "redirect" in str(caught.value)


def test_hosts(server: str) -> None:
    port = server.rpartition(":")[2]
    for hosts in (["127.0.0.1"], [f"127.0.0.1:{port}"], ["127.*"]):
        assert request(server, Actions([HttpService(hosts)]))["status"] == 200
    only = Actions([HttpService(["example.org", f"127.0.0.1:{port}"])])
    with pytest.raises(HttpError, match="none of the hosts") as caught:
        request(server.replace("127.0.0.1", "localhost"), only)
    assert not caught.value.retryable
    with pytest.raises(HttpError, match="none of the hosts"):
        request(f"{server}/to?{server.replace('127.0.0.1', 'localhost')}/b", only, followRedirects=True)


@pytest.mark.parametrize("url", ["ftp://localhost/x", "localhost/x", "", "http://"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(HttpError) as caught:
        request(url)
    assert not caught.value.retryable


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(HttpError, match=r"GET http://127\.0\.0\.1:1/") as caught:
        request("http://127.0.0.1:1/")
    assert caught.value.retryable
    assert caught.value.status is None


def test_odd_bodies(server: str) -> None:
    assert request(f"{server}/broken")["json"] is None
    assert request(f"{server}/latin")["text"] == "caf\u00e9\\x00"
    with pytest.raises(HttpError, match="more than"):
        request(f"{server}/large")


def test_cancelled(server: str) -> None:
    cancellation = Cancellation()
    cancellation.cancel("enough")
    with pytest.raises(ActionCancelledError, match="enough"):
        request(server, context=new_context(cancellation=cancellation))


def test_in_an_engine(server: str) -> None:
    text = f"name: w\npipeline: {{a: {{action: http:request, input: {{url: '{server}/x'}}, post: {{path: '${{json.path}}'}}}}}}"
    with Fluxor(http_hosts=["127.0.0.1"]) as engine:
        output = engine.runtime.start_process(engine.runtime.decode_yaml_workflow(text)).wait(timeout=10)
        assert output.output["path"] == "/x", output.errors
    with Fluxor(http_hosts=["example.org"]) as engine:
        output = engine.runtime.start_process(engine.runtime.decode_yaml_workflow(text)).wait(timeout=10)
        assert "none of the hosts" in output.errors["w/a"]


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/plain; charset=base64", "aGk=", "aGk="),
        ("text/plain; charset=utf-7", "+2AA-", "\\ud800"),
        ("application/json", "[" * 5_000 + "]" * 5_000, "[" * 5_000 + "]" * 5_000),
        ("application/json", "[1e999]", "[1e999]"),
        ("application/json", '"\\ud800"', '"\\ud800"'),
        ("application/json", '"\\u0000"', '"\\u0000"'),
    ],
)
def test_answers_that_are_hard_to_read(server: str, kind: str, body: str, text: str) -> None:
    result = request(f"{server}/as?{quote(f'{kind}|{body}')}")
    assert (result["text"], result["json"]) == (text, None)


def test_what_is_not_packed_as_it_says(server: str) -> None:
    with pytest.raises(HttpError, match="/packed"):
        request(f"{server}/packed")


@pytest.mark.parametrize(
    "options", [{"method": "GE T"}, {"method": "\u4e00"}, {"headers": {"a": "b\r\nc: d"}}, {"headers": {"a": "\u4e00"}}]
)
def test_what_cannot_be_sent_is_not_tried_again(server: str, options: dict[str, Any]) -> None:
    with pytest.raises(HttpError) as caught:
        request(server, **options)
    assert not caught.value.retryable


@pytest.mark.parametrize("path", ["/silent", "/drops"])
def test_a_server_that_says_nothing_is_left_when_cancelled(server: str, path: str) -> None:
    cancellation = Cancellation()
    caught: list[BaseException] = []

    def asks() -> None:
        try:
            request(server + path, context=new_context(cancellation=cancellation), timeout=3600)
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=asks)
    thread.start()
    silence = SILENT.get(timeout=30)
    cancellation.cancel("enough")
    thread.join(30)
    silence.over.set()
    assert [(type(each), str(each)) for each in caught] == [(ActionCancelledError, "enough")]


def test_one_host_is_no_list_of_letters(server: str) -> None:
    with pytest.raises(HttpError, match="none of the hosts"):
        request(server, Actions([HttpService("*.example.org")]))
