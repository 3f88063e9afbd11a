"""The match service over real HTTP, against Hasher-Matcher-Actioner's way: Flask and ``threatexchange`` under gunicorn.

Both hold the same signals and get the same requests, from clients that keep their connections where the server does.
The peer is what its lookup comes down to (the index that ``threatexchange`` gives for PDQ, behind a Flask route, under
gunicorn's usual worker), without its database, so it rather looks better than it is. All on the loopback of one
machine, the clients too, so rates are lower than a server's alone.

    python -m bench.service [--n N] [--json]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.hash import twelve_megapixels
from bench.index_data import PdqLike, queries
from reclaim.index import HammingIndex, StoredIndex, codes_of_digests, create_stored
from reclaim.index.codes import Codes

HOST = "127.0.0.1"
CLIENTS = 4
"""Connections that ask at once for the rate; one for the latency."""
SECONDS = 3.0
"""A rate is measured for about this long."""
SINGLES, BATCHES, PICTURES, CHANGES = 2000, 100, 40, 40
BATCH = 1000
MD5S = 10_000
_CODES = "RECLAIM_BENCH_CODES"


class Client:
    """One connection; opened anew when the server closes it."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._key = key
        self._socket: socket.socket | None = None

    def request(self, path: str, kind: str, body: bytes) -> bytes:
        """A request's bytes."""
        return (
            f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {self._key}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    def send(self, request: bytes) -> bytes:
        """The body that comes back. Raises ``RuntimeError`` for any status but 200."""
        if self._socket is None:
            self._socket = socket.create_connection((HOST, self._port), timeout=120)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
        while len(body) < length:
            body += self._more()
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"The server answered {head.splitlines()[0]!r}: {body[:300]!r}")
        if b"connection: close" in head.lower():
            self._socket.close()
            self._socket = None
        return body

    def _more(self) -> bytes:
        assert self._socket is not None
        part = self._socket.recv(1 << 20)
        if not part:
            raise RuntimeError("The server closed in the middle of an answer.")
        return part


Questions = Callable[[Client], list[bytes]]


def lookups(asked: Codes) -> Questions:
    """One signal a request."""
    bodies = [json.dumps({"type": "pdq", "value": code.tobytes().hex()}).encode() for code in asked]
    return lambda client: [client.request("/v1/lookup", "application/json", body) for body in bodies]


def batches(asked: Codes) -> Questions:
    """``BATCH`` signals a request, as bytes."""
    parts = [asked[at : at + BATCH].tobytes() for at in range(0, len(asked) - BATCH + 1, BATCH)]
    return lambda client: [client.request("/v1/lookup/batch", "application/octet-stream", part) for part in parts]


def picture(data: bytes) -> Questions:
    """A picture a request."""
    return lambda client: [client.request("/v1/match", "image/jpeg", data)]


def latency(client: Client, requests: list[bytes], count: int) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds, one request at a time."""
    for request in requests[:10]:
        client.send(request)
    times = []
    end = time.perf_counter() + 5 * SECONDS
    for number in range(count):
        began = time.perf_counter()
        client.send(requests[number % len(requests)])
        times.append((time.perf_counter() - began) * 1e3)
        if time.perf_counter() > end and number >= 20:
            break
    return float(np.median(times)), float(np.percentile(times, 99))


def _ask(port: int, key: str, requests: list[bytes], seconds: float) -> float:
    """Requests a second on one connection. In a process of its own."""
    client = Client(port, key)
    client.send(requests[0])
    began = time.perf_counter()
    done = 0
    while time.perf_counter() - began < seconds:
        client.send(requests[done % len(requests)])
        done += 1
    return done / (time.perf_counter() - began)


def rate(port: int, key: str, requests: list[bytes]) -> float:
    """Requests a second of ``CLIENTS`` processes."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(CLIENTS) as pool:
        return sum(pool.starmap(_ask, [(port, key, requests, SECONDS)] * CLIENTS))


@dataclass
class Row:
    """What was measured of one server with one kind of request."""

    server: str
    workers: int
    request: str
    p50_ms: float
    p99_ms: float
    per_second: float
    """Signals a second, or pictures."""


def measure(
    server: str, workers: int, port: int, key: str, kinds: dict[str, tuple[Questions, int, int]]
) -> Iterator[Row]:
    """One row a kind of request: questions, how many for the latency, signals in each."""
    for name, (questions, count, signals) in kinds.items():
        client = Client(port, key)
        requests = questions(client)
        p50, p99 = latency(client, requests, count)
        yield Row(server, workers, name, p50, p99, signals * rate(port, key, requests))


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: list[str], ready: Callable[[], object], **environment: str) -> Iterator[int]:
    """Run a server until the end of the block; gives its process id once ``ready`` does not raise."""
    with subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL) as server:
        try:
            end = time.monotonic() + 180
            while True:
                try:
                    ready()
                    break
                except (OSError, RuntimeError):
                    if server.poll() is not None or time.monotonic() > end:
                        raise
                    time.sleep(0.1)
            yield server.pid
        finally:
            server.send_signal(signal.SIGTERM)


def workers_of(pid: int) -> list[int]:
    """The direct children of a server that answer requests."""
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()
    ]
    return [each for each in children if b"resource_tracker" not in Path(f"/proc/{each}/cmdline").read_bytes()]


def memory(pids: list[int], file: str) -> dict[str, float]:
    """MiB of these processes together: resident, proportional, and what of each is the mapped index."""
    found = {"rss": 0.0, "pss": 0.0, "index_rss": 0.0, "index_pss": 0.0}
    for pid in pids:
        mapped = False
        for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                mapped = line.endswith(file)
            elif line.startswith(("Rss:", "Pss:")):
                size, name = int(line.split()[1]) / 1024, line[:3].lower()
                found[name] += size
                if mapped:
                    found[f"index_{name}"] += size
    return found


def change_to_match(index: StoredIndex, client: Client, fresh: Codes, first_id: int) -> list[float]:
    """Milliseconds from the begin of a change in the writer to a match over HTTP."""
    times = []
    for number, code in enumerate(fresh[:CHANGES]):
        request = lookups(code.reshape(1, -1))(client)[0]
        time.sleep(0.013 * (number % 8))  # so that changes fall anywhere between two looks at the log
        began = time.perf_counter()
        index.change(added=[(first_id + number, code)])
        while f'"id":{first_id + number},'.encode() not in client.send(request):
            if time.perf_counter() - began > 30:
                raise RuntimeError("A change did not arrive in 30 seconds.")
        times.append((time.perf_counter() - began) * 1e3)
    return times


def ours(folder: Path, key: str, workers: int) -> tuple[list[str], int]:
    """The command that serves, and its port."""
    port = free_port()
    command = [sys.executable, "-m", "reclaim", "match", "serve", "--index", str(folder), "--port", str(port)]
    return [*command, "--workers", str(workers), "--keys", str(folder.parent / "keys.json")], port


def theirs(workers: int) -> tuple[list[str], int]:
    """The same of the peer."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--workers", str(workers)]
    return [*command, "--timeout", "180", "--log-level", "error", "bench.service:peer()"], port


def peer() -> Any:
    """The peer's application: each worker builds and keeps an index of its own."""
    from flask import Flask, jsonify
    from flask import request as asked
    from threatexchange.signal_type.pdq.signal import PdqSignal

    codes = np.load(os.environ[_CODES])
    index = PdqSignal.get_index_cls()([(code.tobytes().hex(), number) for number, code in enumerate(codes)])
    app = Flask("peer")

    def named(value: str) -> list[dict[str, int]]:
        return [{"id": hit.metadata, "distance": hit.similarity_info.distance} for hit in index.query(value)]

    @app.post("/v1/lookup")
    def lookup() -> Any:
        return jsonify(matches=named(asked.get_json()["value"]))

    @app.post("/v1/lookup/batch")
    def lookup_batch() -> Any:
        data = asked.get_data()
        return jsonify([named(data[at : at + 32].hex()) for at in range(0, len(data), 32)])

    @app.post("/v1/match")
    def match() -> Any:
        return jsonify(matches=named(PdqSignal.hash_from_bytes(asked.get_data())))

    return app


def run(count: int = 1_000_000) -> dict[str, Any]:
    """Everything, as one object. Raises ``ModuleNotFoundError`` without faiss, threatexchange or Flask."""
    import faiss  # noqa: F401 the peer needs it, and should not be the one to find it missing
    import flask  # noqa: F401

    generator = np.random.default_rng(31)
    source = PdqLike(generator)
    codes = source.draw(count)
    asked = queries(codes, source.draw(20_000), generator)
    fresh = source.draw(2 * CHANGES)
    data = twelve_megapixels(3)
    kinds = {
        "one signal": (lookups(asked[:5000]), SINGLES, 1),
        f"batch of {BATCH}": (batches(asked), BATCHES, BATCH),
        "12-MP JPEG": (picture(data), PICTURES, 1),
    }
    rows: list[Row] = []
    changed: list[float] = []
    held: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = root / "index"
        folder.mkdir()
        create_stored(folder / "pdq.index", HammingIndex(codes, np.arange(count)))
        digests = generator.integers(0, 256, (MD5S, 16), np.uint8)
        create_stored(folder / "md5.index", HammingIndex(codes_of_digests(digests), range(MD5S), mode="compact"))
        np.save(root / "codes.npy", codes)
        # The key is this run's own and opens nothing else.
        key = hashlib.sha256(os.urandom(32)).hexdigest()
        hashed = hashlib.sha256(key.encode()).hexdigest()
        (root / "keys.json").write_text(json.dumps({"keys": [{"name": "bench", "sha256": hashed, "made_at": ""}]}))
        for workers in (1, 2):
            command, port = ours(folder, key, workers)
            client = Client(port, key)
            first = picture(data)(client)[0]
            with process(command, lambda client=client, first=first: client.send(first)) as pid:  # type: ignore[misc]
                rows += measure("reclaim", workers, port, key, kinds)
                held[f"reclaim, workers {workers}"] = memory(workers_of(pid), "pdq.index")
                with StoredIndex(folder / "pdq.index", writable=True) as writer:
                    part = fresh[(workers - 1) * CHANGES :]
                    changed += change_to_match(writer, Client(port, key), part, count + workers * CHANGES)
            command, port = theirs(workers)
            client = Client(port, key)
            first = lookups(asked[:1])(client)[0]
            there = {_CODES: str(root / "codes.npy")}
            with process(command, lambda client=client, first=first: client.send(first), **there) as pid:  # type: ignore[misc]
                rows += measure("hma's way", workers, port, key, kinds)
                held[f"hma's way, workers {workers}"] = memory(workers_of(pid), "pdq.index")
    return {
        "name": "service",
        "n": count,
        "rows": [asdict(row) for row in rows],
        "ratios": ratios(rows),
        "change_to_match_ms": {"median": float(np.median(changed)), "max": max(changed), "times": len(changed)},
        "memory_mib": held,
    }


def ratios(rows: list[Row]) -> list[dict[str, Any]]:
    """How many times as fast as the peer, by request and workers."""
    of = {(row.server, row.workers, row.request): row for row in rows}
    return [
        {
            "workers": workers,
            "request": request,
            "p50": of["hma's way", workers, request].p50_ms / row.p50_ms,
            "p99": of["hma's way", workers, request].p99_ms / row.p99_ms,
            "rate": row.per_second / of["hma's way", workers, request].per_second,
        }
        for (server, workers, request), row in of.items()
        if server == "reclaim"
    ]


def table(found: dict[str, Any]) -> Table:
    """The figures for a person."""
    change = found["change_to_match_ms"]
    held = "; ".join(
        f"{name}: {each['pss']:,.0f} MiB proportional, {each['rss']:,.0f} resident"
        + (f" (the index {each['index_pss']:,.0f} of {each['index_rss']:,.0f})" if each["index_rss"] else "")
        for name, each in found["memory_mib"].items()
    )
    made = Table(
        title=f"{found['n']:,} signals over HTTP",
        caption=f"From a change to a match: median {change['median']:.0f} ms, at most {change['max']:.0f} ms of "
        f"{change['times']}. Memory: {held}.",
    )
    for title in ("server", "workers", "request"):
        made.add_column(title)
    for title in ("p50 ms", "p99 ms", "signals or pictures/s", "times as fast: p50", "rate"):
        made.add_column(title, justify="right")
    faster = {(each["workers"], each["request"]): each for each in found["ratios"]}
    for row in found["rows"]:
        cells = [row["server"], str(row["workers"]), row["request"]]
        cells += [f"{row['p50_ms']:,.2f}", f"{row['p99_ms']:,.2f}", f"{row['per_second']:,.0f}"]
        if row["server"] == "reclaim":
            ratio = faster[row["workers"], row["request"]]
            cells += [f"{ratio['p50']:,.1f}", f"{ratio['rate']:,.1f}"]
        made.add_row(*cells)
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1_000_000, help="signals in the bank")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    found = run(options.n)
    if options.json:
        print(json.dumps(found))
    else:
        Console(width=160).print(table(found))


if __name__ == "__main__":
    main()
