"""``http:request``: one request to a server."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from attrs import field, frozen

from fluxor_actors.actions.cancellation import Cancellation
from fluxor_actors.actions.context import ActionContext
from fluxor_actors.actions.decorators import method
from fluxor_actors.errors import ActionCancelledError, ActionInputError, HttpError, UnrepresentableError
from fluxor_actors.plain import to_plain

__all__ = ["MAX_BYTES", "HttpService", "RequestInput"]

MAX_BYTES = 16 * 1024 * 1024
"""The longest body that is read."""
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that may be gone the next time."""


def _seconds(_instance: object, _attribute: object, value: float) -> None:
    if not 0 < value <= 3600:
        raise ValueError(f"timeout is a number of seconds above 0 and up to 3,600, not {value}")


@frozen(kw_only=True)
class RequestInput:
    """Input of ``http:request``.

    Attributes:
        url: where to.
        method: what is asked.
        headers: of the request.
        query: joins what the URL has; a value may be a list.
        body: a text. Not together with ``json``.
        json: a value, sent as JSON.
        timeout: seconds for connecting, and for each wait for the server.
        follow_redirects: whether to go where the server says.
        raise_for_status: whether a status from 400 on fails the attempt.
        idempotency_key: whether to send the execution's key as ``Idempotency-Key``, the same for each attempt.
    """

    url: str
    method: str = "GET"
    headers: dict[str, str] = field(factory=dict)
    query: dict[str, Any] = field(factory=dict)
    body: str | None = None
    json: Any = None
    timeout: float = field(default=30.0, validator=_seconds)
    follow_redirects: bool = False
    raise_for_status: bool = False
    idempotency_key: bool = False


class _Line:
    """The connection of a request, cut when its attempt is cancelled: a server that says nothing would keep the worker."""

    def __init__(self, cancellation: Cancellation) -> None:
        self._cancellation = cancellation
        self._socket: socket.socket | None = None
        cancellation.on_cancel(self._cut)

    def heard(self, event: str, info: dict[str, Any]) -> None:
        """What httpx tells of the request on its way."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self._cancellation.cancelled:
                self._cut()

    def _cut(self) -> None:
        line = self._socket
        if line is not None:
            with contextlib.suppress(OSError):
                # Not that of a TLS socket, which would forget its state under the thread that reads.
                socket.socket.shutdown(line, socket.SHUT_RDWR)


def _cancelled(context: ActionContext) -> ActionCancelledError:
    return ActionCancelledError(context.cancellation.reason or "the request was cancelled")


def _text(data: bytes, encoding: str) -> str:
    """As plain data can hold it: what cannot be text stands there by its number."""
    try:
        text = data.decode(encoding, "backslashreplace")
    except (LookupError, UnicodeError):  # what the server names is no encoding of texts, or takes no such handler
        text = data.decode("utf-8", "backslashreplace")
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def _json(data: bytes) -> Any:
    """The value; None for what is no JSON, nests too deep, or holds what plain data cannot hold."""
    try:
        return to_plain(json.loads(data, parse_constant=lambda _: None))
    except (ValueError, RecursionError, UnrepresentableError):
        return None


class HttpService:
    """Requests to servers; with ``hosts``, to these only: names, globs of names, or either with a port."""

    name = "http"

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        # One as such is not the list of its letters, of which `*` would be everybody.
        named = (hosts,) if isinstance(hosts, str) else hosts
        self._hosts = tuple(each.strip().lower() for each in named)
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    @method
    def request(self, request: RequestInput, context: ActionContext) -> dict[str, Any]:
        """Send a request and read the response: ``status``, ``ok``, ``retryable``, ``headers``, ``text`` and ``json``, if it is JSON."""
        try:
            import httpx  # an extra
        except ImportError as error:
            raise HttpError(
                "http:request needs httpx: python -m pip install 'fluxor-actors[http]'", retryable=False
            ) from error
        if request.body is not None and request.json is not None:
            raise ActionInputError("http:request", ["give one of body and json @ $"])
        headers = dict(request.headers)
        if request.idempotency_key:
            headers.setdefault("Idempotency-Key", context.idempotency_key)
        line = _Line(context.cancellation)
        try:
            url = httpx.URL(request.url)
            url = url.copy_merge_params(request.query) if request.query else url
            with (
                httpx.Client(
                    verify=self._ssl(), timeout=request.timeout, follow_redirects=request.follow_redirects,
                    event_hooks={"request": [lambda sent: self._check(sent.url)]},
                ) as client,
                client.stream(
                    request.method.upper(), url, headers=headers, content=request.body, json=request.json,
                    extensions={"trace": line.heard},
                ) as response,
            ):  # fmt: skip
                data = self._read(response, context)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
            raise HttpError(f"{request.url}: {error}", retryable=False) from error
        except (httpx.LocalProtocolError, UnicodeEncodeError, TypeError) as error:
            # A method or a header as there can be none.
            raise HttpError(f"{request.url}: {error}", retryable=False) from error
        except httpx.RequestError as error:
            if context.cancellation.cancelled:
                raise _cancelled(context) from error
            raise HttpError(f"{request.method.upper()} {request.url}: {error or type(error).__name__}") from error
        return self._result(request, response, data)

    def _ssl(self) -> ssl.SSLContext:
        # To read the certificates takes longer than most requests.
        with self._lock:
            if self._context is None:
                self._context = ssl.create_default_context()
            return self._context

    def _check(self, url: Any) -> None:
        """Called for each redirect, too."""
        if not self._hosts:
            return
        name, port = url.host.lower(), url.port or {"http": 80, "https": 443}.get(url.scheme)
        if not any(fnmatchcase(name, each) or fnmatchcase(f"{name}:{port}", each) for each in self._hosts):
            raise HttpError(
                f"{name}:{port} is none of the hosts that are allowed: {', '.join(self._hosts)}", retryable=False
            )

    @staticmethod
    def _read(response: Any, context: ActionContext) -> bytes:
        data = bytearray()
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) > MAX_BYTES:
                raise HttpError(f"{response.url}: the response has more than {MAX_BYTES:,} bytes", retryable=False)
            if context.cancellation.cancelled:
                raise _cancelled(context)
        if context.cancellation.cancelled:
            raise _cancelled(context)  # where nothing says how long it is, a connection that is cut looks like its end
        return bytes(data)

    @staticmethod
    def _result(request: RequestInput, response: Any, data: bytes) -> dict[str, Any]:
        text = _text(data, response.encoding or "utf-8")
        retryable = response.status_code in _PASSING
        if request.raise_for_status and response.status_code >= 400:
            raise HttpError(
                f"{request.method.upper()} {request.url}: status {response.status_code} {response.reason_phrase}".rstrip(),
                status=response.status_code,
                retryable=retryable,
            )
        found: Any = None
        if "json" in response.headers.get("content-type", ""):
            found = _json(data)
        return {
            "status": response.status_code,
            "ok": response.is_success,
            "retryable": retryable,
            "headers": dict(response.headers),
            "text": text,
            "json": found,
        }
