"""A match service as an operator runs it, and somebody who asks it over a real socket."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from reclaim.index import ExactIndex, FrameIndex, HammingIndex, StoredIndex, create_stored
from reclaim.signals import Frame
from tests.conftest import secrets_in
from tests.system.environment import RECLAIM, plain_environment

STARTUP_SECONDS = 60.0
PATIENCE = 20.0


def until(true: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until it is true; fail if it does not come true in time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def problem(self, status: int) -> Any:
        """The problem document, which must be one of this status with a sentence."""
        assert self.status == status, self.body
        assert self.headers["content-type"] == "application/problem+json"
        assert self.json["status"] == status
        assert self.json["detail"].endswith(".")
        return self.json


def make_folder(
    folder: Path,
    codes: Mapping[int, str] = {},
    files: Mapping[int, str] = {},
    videos: Mapping[int, Sequence[Frame]] = {},
) -> Path:
    """A folder with the indexes of PDQ values, MD5 values and, if there are any, of videos, by id."""
    folder.mkdir()
    raw = np.frombuffer(bytes.fromhex("".join(codes.values())), np.uint8).reshape(-1, 32)
    create_stored(folder / "pdq.index", HammingIndex(raw, list(codes)))
    digests = np.frombuffer(bytes.fromhex("".join(files.values())), np.uint8).reshape(-1, 16)
    md5 = ExactIndex.build([(digests, list(files))]).index
    assert isinstance(md5, HammingIndex)
    create_stored(folder / "md5.index", md5)
    if videos:
        values = {id_: bytes.fromhex("".join(frame.pdq for frame in frames)) for id_, frames in videos.items()}
        video = FrameIndex.build(
            (id_, np.frombuffer(each, np.uint8).reshape(-1, 32), None) for id_, each in values.items()
        )
        assert isinstance(video.index, HammingIndex)
        create_stored(folder / "video.index", video.index)
    return folder


@dataclass
class Service:
    """A service over a folder of indexes; its keys lie beside the folder."""

    folder: Path
    workers: int = 2
    options: tuple[str, ...] = ()
    wait_until_ready: bool = True
    port: int = 0
    key: str = field(default="", repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> str:
        return (self.folder.parent / "service.log").read_text()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.stop()
        elif self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=60)

    def start(self) -> None:
        """Make a key, serve, and wait until a worker answers."""
        keys = self.folder.parent / "match-keys.json"
        self.key = self.run("key", "--keys", keys).stdout.strip()
        with (self.folder.parent / "service.log").open("ab") as log:
            before = log.tell()
            self._process = subprocess.Popen(
                [
                    *(RECLAIM, "match", "serve", "--index", str(self.folder), "--keys", str(keys)),
                    *("--port", "0", "--workers", str(self.workers), *self.options),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=plain_environment(),
                start_new_session=True,
            )
        until(lambda: bool(self._said_port(before)) or self._process.poll() is not None, STARTUP_SECONDS)  # type: ignore[union-attr]
        assert self._process.poll() is None, self.log
        self.port = self._said_port(before)
        until(lambda: self.answers("/ready" if self.wait_until_ready else "/live"), STARTUP_SECONDS)
        until(lambda: len(self.worker_pids()) == self.workers)

    def _said_port(self, start: int) -> int:
        said = re.search(r"is starting port=(\d+)", self.log[start:])
        return int(said[1]) if said else 0

    def answers(self, path: str) -> bool:
        """Whether this path answers 200 now."""
        try:
            return self.ask("GET", path).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def stop(self) -> None:
        """Ask it to stop, and wait; its log must not have said a secret."""
        if self._process is not None:
            self._process.terminate()
            assert self._process.wait(timeout=60) == 0, self.log
            self._process = None
        assert secrets_in(self.log) == []
        assert self.key not in self.log

    def first_process(self) -> subprocess.Popen[bytes]:
        """The one that starts and replaces the workers."""
        assert self._process is not None
        return self._process

    @staticmethod
    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """``reclaim match …``, which must succeed."""
        done = subprocess.run(
            [RECLAIM, "match", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env=plain_environment(),
        )
        assert done.returncode == 0, done.stderr
        return done

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> Answer:
        """One request on a connection of its own, so that any worker may get it; ``key=""`` sends none."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        if key != "":
            sent["Authorization"] = f"Bearer {key or self.key}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def lookup(self, value: str) -> Answer:
        """One PDQ or MD5 value."""
        return self.ask("POST", "/v1/lookup", {"type": "pdq" if len(value) == 64 else "md5", "value": value})

    def match(self, picture: bytes | Path) -> Answer:
        """A picture."""
        data = picture.read_bytes() if isinstance(picture, Path) else picture
        return self.ask("POST", "/v1/match", data, content_type="image/jpeg")

    def connect(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def metric(self, name: str) -> float:
        """One figure, all labels of that name added up."""
        lines = self.ask("GET", "/metrics").body.decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{re.escape(name)}[ {{]", line))

    def worker_pids(self) -> list[int]:
        """The processes that answer."""
        assert self._process is not None
        return [pid for pid in _children(self._process.pid) if "resource_tracker" not in _command(pid)]

    def decoder_pids(self) -> list[int]:
        """The processes that decode pictures, of all workers."""
        helpers = [pid for worker in self.worker_pids() for pid in _children(worker)]
        return [pid for helper in helpers for pid in _children(helper)]

    def writer(self, name: str = "pdq.index") -> StoredIndex:
        """The index opened for writing, as a platform does."""
        return StoredIndex(self.folder / name, writable=True)


def everywhere(true: Callable[[], bool], tries: int = 12) -> bool:
    """Whether it is true however the connections fall on the workers."""
    return all(true() for _ in range(tries))


def kill(pid: int) -> None:
    """End a process as a power cut would."""
    os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    """Of all its threads."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            continue
    return sorted(found)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
