"""An S3-compatible store, over real HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyarrow.fs import S3FileSystem

from reclaim.scan.errors import WorkerStop
from reclaim.scan.sources import store as store_source
from reclaim.scan.sources.store import StoreSource
from reclaim.signals.many import SECONDS_PER_FILE
from tests.system.scan.command import SCAN, figures, run
from tests.unit.scan.catalogue import rows_of

SECRETS = {
    "AWS_ACCESS_KEY_ID": "scanner",
    "AWS_SECRET_ACCESS_KEY": "not-a-real-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
}


ODD = "Grüße aus Rom %20?.txt"


class Store:
    """A store in a process of its own, with one bucket that holds the catalogue."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.files: Any = None
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fill(self, catalogue: Path) -> None:
        """Wait until it answers, and put everything in."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.05)
        self.files = files = S3FileSystem(
            access_key=SECRETS["AWS_ACCESS_KEY_ID"],
            secret_key=SECRETS["AWS_SECRET_ACCESS_KEY"],
            endpoint_override=f"127.0.0.1:{self.port}",
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
            allow_bucket_deletion=True,
        )
        files.create_dir("uploads")
        put(files, "elsewhere/other.txt", b"not below the prefix")
        for path in catalogue.rglob("*"):
            if path.is_file():
                put(files, f"2024/{path.relative_to(catalogue)}", path.read_bytes())
        put(files, f"2024/{ODD}", b"an odd name")

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def put(files: Any, key: str, data: bytes) -> None:
    with files.open_output_stream(f"uploads/{key}") as file:
        file.write(data)


@pytest.fixture
def store(catalogue: Path) -> Iterator[Store]:
    made = Store()
    try:
        made.fill(catalogue)
        yield made
    finally:
        made.kill()


@pytest.fixture
def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **SECRETS}


def test_a_store_gives_the_rows_that_the_same_folder_gives(
    store: Store, catalogue: Path, index: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    figures(run(catalogue, "--index", index, "--out", here, "--turns", "1", "--json"))
    arguments = [
        "s3://uploads/2024",
        "--endpoint",
        store.url,
        "--index",
        index,
        "--out",
        there,
        "--turns",
        "1",
        "--json",
    ]
    found = figures(run(*arguments, environment=environment))
    assert found["files"] == 164
    rows = {row["name"]: row for row in rows_of(there)}
    assert rows.pop(ODD)["reason"] == "not_a_picture"
    for row in rows_of(here):
        assert rows[row["name"]] | {"size": 0} == row | {"size": 0}


STOPPED = "The store stopped answering, or no longer lets this key in. Mend that, then run the same command to go on."
IN_THE_CATALOGUE = {None, "not_a_picture", "empty_file", "truncated_picture"}


def arguments_for(store: Store, index: Path, out: Path) -> list[str]:
    """The command's, for a scan of the whole catalogue in small shards."""
    addresses = ["s3://uploads/2024", "--endpoint", store.url]
    return [*addresses, "--index", str(index), "--out", str(out), "--shard-size", "5", "--turns", "1"]


@contextmanager
def begun(
    store: Store, index: Path, out: Path, environment: dict[str, str], shards: int = 1
) -> Iterator[subprocess.Popen[str]]:
    """A scan that runs, with so many shards done."""
    command = [*SCAN, *arguments_for(store, index, out)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while len(list(out.glob("results/shard-*"))) < shards and time.monotonic() < deadline:
            time.sleep(0.01)
        yield process


def test_a_bucket_that_is_not_there_is_one_sentence(index: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    done = run(
        "s3://nobody", "--endpoint", "http://127.0.0.1:9", "--index", index, "--out", tmp_path, environment=environment
    )
    assert done.returncode == 1
    assert (
        done.stderr.strip() == "The source went away or cannot be listed. Bring it back and run the same command again."
    )


def test_a_store_that_stops_answering_stops_the_scan_and_makes_no_error_rows(
    store: Store, index: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    out = tmp_path / "out"
    with begun(store, index, out, environment) as process:
        store.kill()
        _, said = process.communicate(timeout=100)
    assert process.returncode == 1
    assert said.strip() == STOPPED
    assert {row["reason"] for row in rows_of(out)} <= IN_THE_CATALOGUE


def test_an_object_that_is_gone_by_now_is_an_error_of_its_own(
    store: Store, catalogue: Path, index: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    out = tmp_path / "out"
    with begun(store, index, out, environment) as process:
        process.send_signal(signal.SIGKILL)
    done = {row["name"] for row in rows_of(out)}
    gone = min({str(path.relative_to(catalogue)) for path in catalogue.rglob("*.jpg")} - done)
    store.files.delete_file(f"uploads/2024/{gone}")
    assert figures(run(*arguments_for(store, index, out), "--json", environment=environment))["files"] == 164
    assert [row["name"] for row in rows_of(out) if row["reason"] == "unreadable_file"] == [gone]


def test_a_bucket_that_is_gone_by_now_stops_the_scan_and_makes_no_error_rows(
    store: Store, index: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    out = tmp_path / "out"
    with begun(store, index, out, environment) as process:
        process.send_signal(signal.SIGKILL)
    store.files.delete_dir("uploads")
    done = rows_of(out)
    stopped = run(*arguments_for(store, index, out), environment=environment)
    assert stopped.returncode == 1
    assert stopped.stderr.strip() == STOPPED
    assert rows_of(out) == done


def test_a_store_that_takes_a_request_and_never_answers_stops_the_scan_before_a_file_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = store_source.REQUEST_SECONDS * store_source.ATTEMPTS * 2
    assert seconds * len(store_source.WAITS) + sum(store_source.WAITS) < SECONDS_PER_FILE * 0.75
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(store_source, "REQUEST_SECONDS", 1)
    monkeypatch.setattr(store_source, "WAITS", (0,))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = StoreSource.named("s3://uploads", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(WorkerStop, match="store"):
            source.read(b"0.jpg", -1, -1, 1000)
