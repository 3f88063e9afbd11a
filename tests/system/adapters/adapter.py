"""An adapter as an operator runs it: the ``reclaim`` command in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import urllib3

from reclaim.adapters.init import init
from reclaim.adapters.queue import counts
from tests.conftest import secrets_in
from tests.system.environment import RECLAIM, plain_environment
from tests.system.platform.site import Platform

PATIENCE = 20.0


def until(true: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until it is true; fail if it does not come true in time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Adapter:
    """An adapter in a folder of its own, that hands in to a platform."""

    def __init__(self, kind: str, folder: Path, platform: Platform, *changes: tuple[str, str]) -> None:
        """``changes`` are made in the configuration that ``init`` writes: what stands there, and what shall."""
        self.kind = kind
        self.folder = folder
        self.config = folder / f"{kind}.toml"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        init(kind, folder, f"http://127.0.0.1:{platform.port}")
        self.write("upload-key.secret", platform.upload_key)
        text = self.config.read_text()
        for port in ("8301", "8302", "8303"):
            text = text.replace(f"port = {port}", f"port = {self.port}")
        text = text.replace("[review_site]", "[review_site]\nfirst_look_seconds = 0.2")
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        self.config.write_text(text)

    def write(self, name: str, secret: str) -> None:
        (self.folder / name).write_text(secret + "\n")

    def secret(self, name: str) -> str:
        return (self.folder / name).read_text().strip()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run ``reclaim platform adapter …``, whatever comes of it."""
        return subprocess.run(
            [RECLAIM, "platform", "adapter", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env=plain_environment(),
        )

    def command(self, *arguments: str | Path) -> str:
        """The same, which must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def count(self, standing: str) -> int:
        """How many files stand so; or are «waiting»."""
        found = counts(self.folder / "queue.sqlite3")
        return found.waiting if standing == "waiting" else found.standings.get(standing, 0)

    def start(self, *options: str) -> None:
        """Run it, and wait until it does."""
        with (self.folder / "log").open("ab") as log:
            before = log.tell()
            self._process = subprocess.Popen(
                [RECLAIM, "platform", "adapter", "run", str(self.config), *options],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=plain_environment(),
                start_new_session=True,
            )
        until(lambda: self._process is None or self._process.poll() is not None or self._runs(before))
        assert self._process.poll() is None, self.log

    def _runs(self, before: int) -> bool:
        return "watches its folder" in self.log[before:] if self.kind == "folder" else answers(self.port)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Ask it to stop, and wait; its log must not have said a secret, an address or a name."""
        if self._process is not None:
            self._process.terminate()
            status = self._process.wait(timeout=30)
            self._process = None
            assert status == 0, self.log
        said = self.log
        assert secrets_in(said) == []
        assert "://" not in said
        assert "Traceback" not in said

    def call(self, path: str, body: bytes, **headers: str) -> urllib3.BaseHTTPResponse:
        return urllib3.request("POST", self.url + path, body=body, headers=headers, retries=False, timeout=60)


def decide(platform: Platform, verdict: str) -> None:
    """Decide the one upload that waits at the review site."""
    (match,) = platform.call("GET", "/api/matches").json()["matches"]
    body = json.dumps({"decision": verdict, "reviewer": "Ada"})
    headers = {"Content-Type": "application/json"}
    answer = platform.call("POST", f"/api/matches/{match['match']}/decision", body=body, headers=headers)
    assert answer.status == 200, answer.data
