"""An S3-compatible store, over real HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyarrow.fs import S3FileSystem

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
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fill(self, catalogue: Path) -> None:
        """Wait until it answers, and put everything in."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.05)
        files = S3FileSystem(
            access_key=SECRETS["AWS_ACCESS_KEY_ID"],
            secret_key=SECRETS["AWS_SECRET_ACCESS_KEY"],
            endpoint_override=f"127.0.0.1:{self.port}",
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
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
    figures(run(catalogue, "--index", index, "--out", here, "--json"))
    arguments = ["s3://uploads/2024", "--endpoint", store.url, "--index", index, "--out", there, "--json"]
    found = figures(run(*arguments, environment=environment))
    assert found["files"] == 164
    rows = {row["name"]: row for row in rows_of(there)}
    assert rows.pop(ODD)["reason"] == "not_a_picture"
    for row in rows_of(here):
        assert rows[row["name"]] | {"size": 0} == row | {"size": 0}


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
    arguments = ["s3://uploads/2024", "--endpoint", store.url, "--index", index, "--out", out, "--shard-size", "5"]
    with subprocess.Popen([*SCAN, *map(str, arguments)], env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list(out.glob("results/shard-*")) and time.monotonic() < deadline:
            time.sleep(0.01)
        store.kill()
        _, said = process.communicate(timeout=100)
    assert process.returncode == 1
    assert said.strip() == "The store stopped answering. When it answers again, run the same command to go on."
    assert {row["reason"] for row in rows_of(out)} <= {None, "not_a_picture", "empty_file", "truncated_picture"}
