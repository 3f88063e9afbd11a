"""What a person on a slow phone waits for: bytes before first use, and the time until files can be chosen.

    python -m bench.network [--json]

A real bank, a real Chromium with a processor slowed down fourfold, and two slow networks: Chromium's own «slow 3G»
(400 kbit/s, 2,000 ms for each request), which does not slow what Workers fetch, and a link in between that carries
every byte of every connection at 400 kbit/s with a round trip of 400 ms, and counts them, headers and all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.table import Table

from reclaim.cli.address import free_port
from tests.browser.chromium import ARGUMENTS, HOW_TO_GET_IT, find_chromium

BYTES_PER_SECOND = 50_000
ROUND_TRIP = 0.4
DEVTOOLS_LATENCY_MS = 2000
SLOWER = 4
RUNS = 3
PAGES = {"the first page": ("/", "main h1"), "the page of files": ("/start/files/", '[data-panel="choose"]:visible')}


class SlowLink:
    """Carries TCP connections to a port of this machine, slowly; ``carried`` counts bytes to the browser."""

    def __init__(self, port: int) -> None:
        self.carried = 0
        self._to = port
        self._free_at = 0.0
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0, backlog=64))
        self.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started.set()
        self._loop.run_forever()

    async def _carry(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        await asyncio.sleep(ROUND_TRIP)  # the connection itself
        far, to_far = await asyncio.open_connection("127.0.0.1", self._to)
        await asyncio.gather(self._pass_on(near, to_far, False), self._pass_on(far, to_near, True))

    async def _pass_on(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, down: bool) -> None:
        try:
            while piece := await source.read(1400):
                arrives = time.monotonic() + ROUND_TRIP / 2
                if down:
                    # All connections share the link: a piece waits for those before it.
                    self._free_at = max(self._free_at, time.monotonic()) + len(piece) / BYTES_PER_SECOND
                    arrives = self._free_at + ROUND_TRIP / 2
                    self.carried += len(piece)
                self._loop.call_at(arrives, to.write, piece)
        except OSError:
            pass
        finally:
            self._loop.call_at(max(self._free_at, time.monotonic()) + ROUND_TRIP, to.close)


@contextmanager
def bank() -> Iterator[int]:
    """The port of a bank that serves."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("RECLAIM_", "DJANGO_"))}
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="reclaim-bench-") as data:
        command = [sys.executable, "-m", "reclaim", "bank", "serve", "--data", data, "--port", str(port)]
        server = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield port
        finally:
            server.terminate()
            server.wait()


def visit(browser: Browser, origin: str, path: str, ready: str, *, devtools: bool) -> dict[str, float]:
    """One first visit: seconds until ``ready`` is seen; compressed bytes and requests until the network is quiet."""
    context = browser.new_context()
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    if devtools:
        speed = {"downloadThroughput": BYTES_PER_SECOND, "uploadThroughput": BYTES_PER_SECOND}
        session.send("Network.emulateNetworkConditions", {"offline": False, "latency": DEVTOOLS_LATENCY_MS, **speed})
    requests: list[Any] = []
    context.on("request", lambda request: requests.append(request))
    started = time.monotonic()
    page.goto(origin + path, wait_until="commit", timeout=120_000)
    page.locator(ready).first.wait_for(timeout=120_000)
    seconds = time.monotonic() - started
    page.wait_for_load_state("networkidle", timeout=120_000)
    lengths = {request.url: int(request.response().headers["content-length"]) for request in requests}
    context.close()
    return {"seconds": seconds, "bytes": sum(lengths.values()), "requests": len(requests)}


def run() -> dict[str, Any]:
    """Figures of each page over each network, the medians of a few first visits; without a Chromium, why not."""
    path = find_chromium()
    if path is None:
        return {"name": "network", "skipped": HOW_TO_GET_IT}
    rows = []
    with bank() as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        link = SlowLink(port)
        for page, (address, ready) in PAGES.items():
            for network, origin in (("Chromium's slow 3G", f"http://127.0.0.1:{port}"), ("a slow link", link.origin)):
                before = link.carried
                seen = [visit(browser, origin, address, ready, devtools=origin != link.origin) for _ in range(RUNS)]
                rows.append(
                    {
                        "page": page,
                        "network": network,
                        "interactive_s": round(statistics.median(each["seconds"] for each in seen), 1),
                        "bytes": seen[0]["bytes"],
                        "requests": seen[0]["requests"],
                        "carried": (link.carried - before) // RUNS or None,
                    }
                )
        browser.close()
    return {"name": "network", "kbit_s": 400, "round_trip_ms": 400, "slower": SLOWER, "runs": RUNS, "rows": rows}


def table(found: dict[str, Any]) -> Table:
    """The figures for a person."""
    made = Table(title=f"A first visit at 400 kbit/s, processor {SLOWER} times slower, median of {RUNS}")
    made.add_column("page")
    made.add_column("network")
    for name in ("usable after", "compressed bytes", "requests", "carried with headers"):
        made.add_column(name, justify="right")
    for row in found["rows"]:
        carried = f"{row['carried']:,}" if row["carried"] else ""
        figures = (f"{row['interactive_s']:.1f} s", f"{row['bytes']:,}", str(row["requests"]), carried)
        made.add_row(row["page"], row["network"], *figures)
    return made


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    wanted = parser.parse_args()
    found = run()
    if wanted.json:
        print(json.dumps(found))
    elif "skipped" in found:
        print(f"The network was not measured: {HOW_TO_GET_IT}.")
    else:
        Console(width=140).print(table(found))


if __name__ == "__main__":
    main()
