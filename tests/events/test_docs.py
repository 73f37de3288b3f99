"""The programs on the pages about events and observability print what the pages say."""

from __future__ import annotations

import logging
import sys
import threading
import types
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.events.test_types import TYPES
from tests.markdown import ROOT, runnable

PAGES = ("events.md", "observability.md")
PROGRAMS = [(page, number) for page in PAGES for number in range(len(runnable(ROOT / "docs" / page)))]


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Stands for a collector: its address, and what it was sent."""
    taken: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that the library calls
            taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", taken
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("page", "number"), PROGRAMS)
def test_a_program_prints_what_the_page_says(
    page: str,
    number: int,
    collector: tuple[str, list[tuple[str, bytes]]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program, printed = runnable(ROOT / "docs" / page)[number]
    address, taken = collector
    exports = "http://localhost:4318" in program
    monkeypatch.setenv("COLUMNS", "100")
    # A module of its own: classes look up theirs when their annotations are resolved.
    module = types.ModuleType("a_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    logger = logging.getLogger("fluxor_actors.action")
    handlers, level = list(logger.handlers), logger.level
    exec(
        compile(program.replace("http://localhost:4318", address), f"docs/{page}, program {number}", "exec"),
        vars(module),
    )
    logger.handlers[:] = handlers
    logger.setLevel(level)
    assert capsys.readouterr().out == printed
    assert bool(taken) == exports
    if exports:
        sent = b"".join(body for _, body in taken)
        assert {path for path, _ in taken} == {"/v1/traces", "/v1/metrics"}
        assert b"process.run order" in sent
        assert b"fluxor.tasks" in sent


def test_the_page_has_every_type() -> None:
    text = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    table = text.partition("| name | data |")[2].partition("\n\n")[0]
    missing = [
        name for name in sorted(TYPES) if f"`{name}`" not in table and f"`.{name.partition('.')[2]}`" not in table
    ]
    assert missing == []
