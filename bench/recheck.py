"""Links looked at in a second, against a site on this machine, and how that goes on as more are due.

The bank is a real one: turns are taken, addresses unsealed, answers judged and written down, as always. The
site answers from memory, under as many names as there are hosts; no pause between two requests to one of them, so that
it is the bank that is measured. Beside it:

    site alone        the same requests by urllib3 alone, over kept connections: what this machine can do at most
    record            turns taken and looks written down, with nothing asked

    python -m bench.recheck [--due 1000 10000 100000] [--looks 2000] [--database-url URL] [--json]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

DUE = (1000, 10_000, 100_000)
LOOKS = 2000
PER_HOST = 20
WORKERS = (1, 8)
BATCH = 5000


@dataclass
class Row:
    """What was measured of one way."""

    what: str
    due: int
    workers: int
    per_second: float
    cpu_milliseconds: float
    """Of this process, for each look: what it costs whatever else the machine does."""


_SITE = """
import asyncio, sys
PAGE = b"<title>A picture</title>" + b"x" * 4000
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/html\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(PAGE) + PAGE
async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\\r\\n\\r\\n"):
            writer.write(ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@contextmanager
def site() -> Iterator[int]:
    """A site in a process of its own; its port."""
    with subprocess.Popen([sys.executable, "-c", _SITE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def fill(due: int) -> None:
    """So many pages that are due, ``PER_HOST`` at a host, each with one link."""
    from django.utils import timezone

    from reclaim.bank.casework.models import CaseFile
    from reclaim.bank.organisations.models import Organisation
    from reclaim.bank.takedown.models import Host, Link, Page
    from reclaim.bank.takedown.sealing import Use, seal

    now = timezone.now()
    organisation, _ = Organisation.objects.get_or_create(name="Bench", defaults={"country": "GB"})
    case_file = CaseFile.objects.create(designation="Bench", organisation=organisation, channel="phone")
    begin = Page.objects.count()
    for start in range(begin, due, BATCH):
        numbers = range(start, min(due, start + BATCH))
        names = sorted({f"h{number // PER_HOST}.example" for number in numbers})
        hosts = Host.objects.bulk_create([Host(name=name, due_at=now) for name in names])
        by_name = {host.name: host for host in hosts}
        pages = Page.objects.bulk_create(
            Page(
                mac=number.to_bytes(32, "big"),
                sealed_url=seal(Use.URL, f"http://h{number // PER_HOST}.example/{number}"),
                host=by_name[f"h{number // PER_HOST}.example"],
                next_check_at=now,
            )
            for number in numbers
        )
        Link.objects.bulk_create(
            Link(case_file=case_file, organisation=organisation, page=page, sealed_url=page.sealed_url, host="x")
            for page in pages
        )


def all_due() -> None:
    """Every page is due again."""
    from django.utils import timezone

    from reclaim.bank.takedown.models import Host, Page

    now = timezone.now()
    Page.objects.update(next_check_at=now)
    Host.objects.update(due_at=now, free_at=now)


@dataclass
class Watch:
    """Time and processor time since it was made."""

    began: float = field(default_factory=time.perf_counter)
    began_cpu: float = field(default_factory=time.process_time)

    def row(self, what: str, due: int, workers: int, done: int) -> Row:
        """What was measured, for so many looks."""
        seconds, cpu = time.perf_counter() - self.began, time.process_time() - self.began_cpu
        return Row(what, due, workers, done / seconds, 1000 * cpu / done)


def recheck(port: int, due: int, looks: int, workers: int) -> Row:
    """The loop itself."""
    from reclaim.bank.takedown.looks import recheck as look_again
    from reclaim.bank.takedown.reach import Policy

    all_due()
    watch = Watch()
    report = look_again(
        600, most=looks, workers=workers, made_policy=lambda: Policy(stand_in=("127.0.0.1", port)), pause=0
    )
    if report.outcomes.keys() != {"up"}:
        raise RuntimeError(f"Not every look found the page: {report.outcomes}.")
    return watch.row("recheck", due, workers, report.looks)


def record(due: int, looks: int) -> Row:
    """Turns and their writing down."""
    from django.utils import timezone

    from reclaim.bank.takedown.checker import Look
    from reclaim.bank.takedown.looks import Seen, give_back, take_turns
    from reclaim.bank.takedown.models import Page

    all_due()
    watch, done = Watch(), 0
    while done < looks:
        for turn in take_turns(1):
            give_back(turn, [Seen(page, Look(Page.Outcome.UP, 200), timezone.now()) for page in turn.pages], 0)
            done += len(turn.pages)
    return watch.row("record", due, 1, done)


def site_alone(port: int, looks: int, workers: int) -> Row:
    """The same requests, and nothing else."""
    import urllib3

    def ask() -> None:
        with urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=1) as pool:
            for number in range(looks // workers):
                pool.request("GET", f"/{number}")

    threads = [threading.Thread(target=ask) for _ in range(workers)]
    watch = Watch()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return watch.row("site alone", 0, workers, looks // workers * workers)


def run(dues: tuple[int, ...] = DUE, looks: int = LOOKS, database_url: str = "") -> dict[str, Any]:
    """Everything, as one object; without a ``database_url`` on SQLite."""
    with tempfile.TemporaryDirectory(prefix="reclaim-bench-") as folder, site() as port:
        from reclaim.sitekit.setup import open_site

        open_site("reclaim.bank.settings", Path(folder), database_url)
        rows = [site_alone(port, looks, workers) for workers in WORKERS]
        for due in sorted(dues):
            fill(due)
            rows.append(record(due, min(looks, due)))
            rows += [recheck(port, due, min(looks, due), workers) for workers in WORKERS]
        from django.db import connections

        connections.close_all()
    cost = {(row.what, row.due, row.workers): row.cpu_milliseconds for row in rows}
    few, many = min(dues), max(dues)
    return {
        "name": "recheck",
        "looks": looks,
        "rows": [asdict(row) for row in rows],
        "ratios": {
            "cost_to_the_request_alone": cost["recheck", few, 1] / cost["site alone", 0, 1],
            "cost_most_due_to_fewest": cost["recheck", many, 1] / cost["recheck", few, 1],
        },
    }


def main() -> int:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--due", type=int, nargs="+", default=list(DUE))
    parser.add_argument("--looks", type=int, default=LOOKS)
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database, instead of SQLite")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    measured = run(tuple(arguments.due), arguments.looks, arguments.database_url)
    if arguments.json:
        print(json.dumps(measured))
        return 0
    table = Table("what", "due", "threads", "a second", "processor, ms each", title="Looking at links again")
    for row in measured["rows"]:
        figures = (f"{row['per_second']:,.0f}", f"{row['cpu_milliseconds']:.2f}")
        table.add_row(row["what"], f"{row['due']:,}", str(row["workers"]), *figures)
    Console().print(table)
    for name, ratio in measured["ratios"].items():
        print(f"{name}: {ratio:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
