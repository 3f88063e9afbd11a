"""A platform as an operator runs it: the ``reclaim`` command in processes of its own, on a real socket."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import urllib3

from tests.conftest import secrets_in
from tests.system.environment import RECLAIM, plain_environment
from tests.system.hands import Hands
from tests.system.new_sites import PLATFORM, make_site
from tests.system.site_process import STARTUP_SECONDS

NEVER = "100000"
"""Seconds between ticks for tests that tick by themselves."""


@dataclass
class Platform:
    """A platform in a data folder; ``database_url`` is empty for SQLite."""

    data: Path
    database_url: str = ""
    upload_key: str = ""
    port: int = 0
    _server: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _hands: Hands | None = field(default=None, repr=False)

    @property
    def log(self) -> str:
        return (self.data.parent / f"{self.data.name}.log").read_text()

    def _site_options(self) -> list[str]:
        return ["--data", str(self.data), *(["--database-url", self.database_url] if self.database_url else [])]

    def run(self, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run ``reclaim platform …``, whatever comes of it; what it says holds no secret but what it is to print."""
        if self._hands is None:
            make_site(PLATFORM, self.data, self.database_url)
            self._hands = Hands("site", PLATFORM, self.data, self.database_url, environment=plain_environment())
        return self._hands.command("platform", *map(str, arguments), *self._site_options(), stdin=stdin)

    def command(self, *arguments: str | Path, stdin: str = "") -> str:
        """Run ``reclaim platform …``, which must succeed; what it printed."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        assert secrets_in(done.stderr) == []
        return done.stdout

    def json(self, *arguments: str | Path, stdin: str = "") -> Any:
        """The same with ``--json``."""
        return json.loads(self.command(*arguments, "--json", stdin=stdin))

    def join(self, url: str, keys: dict[str, str]) -> None:
        """Join a bank."""
        made = self.json("init", "--bank", url, "--keys", "-", stdin=json.dumps(keys))
        self.upload_key = made["upload_key"] or self.upload_key

    def start(self, every: str = NEVER, *, follow: bool = False) -> None:
        """Serve, and wait until it does. With ``follow`` it syncs as soon as the bank says so."""
        with (self.data.parent / f"{self.data.name}.log").open("wb") as log:
            self._server = subprocess.Popen(
                [
                    *(RECLAIM, "platform", "serve", *self._site_options(), "--port", "0", "--every", every),
                    *([] if follow else ["--no-follow"]),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=plain_environment(),
            )
        deadline = time.monotonic() + STARTUP_SECONDS
        while not (said := re.search(r"the platform is serving port=(\d+)", self.log)):
            assert self._server.poll() is None, f"the platform did not start:\n{self.log}"
            assert time.monotonic() < deadline, f"the platform took too long to start:\n{self.log}"
            time.sleep(0.02)
        self.port = int(said[1])

    def pids(self) -> list[int]:
        """The server's processes, with those beside it."""
        assert self._server is not None
        first = psutil.Process(self._server.pid)
        return [first.pid, *(child.pid for child in first.children(recursive=True))]

    def stop(self) -> None:
        """Ask the server to stop, and wait; its log must not have said a secret."""
        if self._hands is not None:
            self._hands.end()
            self._hands = None
        if self._server is not None:
            self._server.terminate()
            assert self._server.wait(timeout=30) == 0, self.log
            self._server = None
            assert secrets_in(self.log) == []

    def call(self, method: str, path: str, **how: Any) -> urllib3.BaseHTTPResponse:
        """A call of the HTTP API."""
        headers = {"Authorization": f"Bearer {self.upload_key}", **how.pop("headers", {})}
        # urllib3's own three seconds are too few for a large body on a busy machine.
        how = {"timeout": 60, **how}
        return urllib3.request(method, f"http://127.0.0.1:{self.port}{path}", headers=headers, retries=False, **how)

    def upload(self, data: bytes) -> Any:
        """Upload a picture; the answer."""
        answer = self.call("POST", "/api/uploads", body=data)
        assert answer.status == 201, answer.data
        return answer.json()
