"""Case files on PostgreSQL: how long a practitioner waits for a list, a search, the first page and a case file.

    python -m bench.casework [--case-files 100000] [--links 1000000] [--organisations 20] [--times 200] [--json]

A database is filled, with statistics as a server's own housekeeping leaves them; then the same pages that practitioners
open are asked for in this process, one after the other, without a network between: what is measured is the site and
its database. Sealed words are as long as sealed words are, and nobody's. The middle practitioner has forty case files;
the supervisor sees an organisation of a twentieth of all, and, in «one organisation», all of them.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.load.postgres import Postgres
from tests.load.world import as_json, machine

BATCH = 5000
PER_PRACTITIONER = 250
"""Case files that each practitioner has in the course of time; forty or so of them at work."""


@dataclass(frozen=True)
class Row:
    """One page as one practitioner asks for it."""

    page: str
    who: str
    queries: int
    median_ms: float
    p95_ms: float


@contextlib.contextmanager
def a_site() -> Iterator[None]:
    """A bank in this process, on a PostgreSQL of its own with nothing in it."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = Postgres(Path(folder, "postgres"))
        os.environ |= {
            "RECLAIM_DATA": str(Path(folder, "bank")),
            "RECLAIM_DATABASE_URL": postgres.new_database(),
            "DJANGO_SETTINGS_MODULE": "reclaim.bank.settings",
            "RECLAIM_HOSTS": "testserver",
        }
        try:
            import django
            from django.core.management import call_command

            django.setup()
            for database in ("default", "keys"):
                call_command("migrate", database=database, verbosity=0)
            yield
        finally:
            from django.db import connections

            connections.close_all()
            postgres.stop()


def fill(case_files: int, links: int, organisations: int) -> dict[str, Any]:
    """Make everything; who looks at it, by name: a practitioner and a supervisor with their sessions."""
    from django.db import connection
    from django.test import Client
    from django.utils import timezone

    from reclaim.bank.casework.models import CaseFile, Event, Note, Task
    from reclaim.bank.organisations.models import Organisation, Practitioner
    from reclaim.sitekit.accounts.models import Member
    from reclaim.sitekit.permissions import Role
    from tests.members import practitioner

    drawn = random.Random(6)
    now = timezone.now()
    people: list[Practitioner] = []
    each = -(-case_files // organisations)
    for n in range(organisations):
        organisation = Organisation.objects.create(name=f"Organisation {n}", country="GB", languages=["en"])
        members = [
            Member.objects.create(name=f"p{n}-{m}", role=Role.PRACTITIONER, password="!")
            for m in range(max(1, each // PER_PRACTITIONER))
        ]
        people += Practitioner.objects.bulk_create(Practitioner(member=m, organisation=organisation) for m in members)
    first = people[0].organisation
    mine, theirs = Client(), Client()
    me = practitioner(mine, first, name="a practitioner")
    scope = Practitioner.Scope.ORGANISATION
    practitioner(theirs, first, Role.SUPERVISOR, scope=scope, name="a supervisor")
    mine_left = 40
    ids: list[tuple[uuid.UUID, int]] = []

    def case_file(n: int) -> CaseFile:
        nonlocal mine_left
        who = people[n % len(people)]
        at_work = drawn.random() < 0.16
        if at_work and who.organisation_id == first.pk and mine_left:
            mine_left, who = mine_left - 1, me
        touched = now - datetime.timedelta(minutes=drawn.randrange(365 * 24 * 60))
        made = CaseFile(
            designation=f"{drawn.choice(WORDS)} {drawn.choice(WORDS)} {n % 1000:03}",
            organisation_id=who.organisation_id,
            owner=who,
            channel="phone",
            status="open" if at_work else "closed",
            closed_at=None if at_work else touched,
            touched_at=touched,
            opened_at=touched - datetime.timedelta(days=20),
            country=drawn.choice(("GB", "DE", "FR", "KR", "BR", "IN", "")),
            language=drawn.choice(("en", "de", "fr", "ko")),
            risk=drawn.choices(("none", "watch", "urgent"), (70, 25, 5))[0],
            words_sealed=drawn.randbytes(300),
        )
        ids.append((made.pk, who.organisation_id))
        return made

    for start in range(0, case_files, BATCH):
        batch = [case_file(n) for n in range(start, min(start + BATCH, case_files))]
        CaseFile.objects.bulk_create(batch)
        Note.objects.bulk_create(Note(case_file=f, sealed=drawn.randbytes(400)) for f in batch for _ in range(3))
        Event.objects.bulk_create(Event(case_file=f, kind="note") for f in batch for _ in range(5))
        Task.objects.bulk_create(
            Task(
                case_file=f,
                practitioner_id=f.owner_id,
                sealed=drawn.randbytes(100),
                due_on=(now + datetime.timedelta(days=drawn.randrange(-9, 60))).date(),
                done_at=None if f.status == "open" else now,
            )
            for f in batch
        )
        print(f"{start + len(batch):,} case files", file=sys.stderr)
    _fill_links(ids, links, drawn)
    connection.cursor().execute("VACUUM ANALYZE")
    return {"a practitioner": mine, "a supervisor": theirs}


def _fill_links(ids: list[tuple[uuid.UUID, int]], links: int, drawn: random.Random) -> None:
    from reclaim.bank.takedown.models import Host, Link, Page

    hosts = Host.objects.bulk_create(Host(name=f"site{n}.example", domain=f"site{n}.example") for n in range(1000))
    for start in range(0, links, BATCH):
        size = min(BATCH, links - start)
        pages = Page.objects.bulk_create(
            Page(mac=drawn.randbytes(32), sealed_url="x" * 160, host=drawn.choice(hosts)) for _ in range(size)
        )
        places = [ids[(start + n) % len(ids)] for n in range(size)]
        Link.objects.bulk_create(
            Link(
                case_file_id=key,
                organisation_id=organisation,
                page=page,
                sealed_url="x" * 160,
                host=page.host.name,
                state=drawn.choice(list(Link.State)),
            )
            for (key, organisation), page in zip(places, pages, strict=True)
        )
        if not (start // BATCH) % 20:
            print(f"{start + size:,} links", file=sys.stderr)


WORDS = ("amber", "blue", "calm", "clear", "harbour", "lantern", "meadow", "quiet", "river", "stone", "teal", "window")


def measure(who: dict[str, Any], times: int) -> list[Row]:
    """Ask for each page so often."""
    from django.db import connection

    drawn = random.Random(7)
    pages: dict[str, Callable[[], str]] = {
        "first page": lambda: "/helpline/",
        "list": lambda: "/helpline/cases/",
        "list, closed ones too": lambda: "/helpline/cases/?status=all",
        "list by risk and country": lambda: f"/helpline/cases/?risk=urgent&country={drawn.choice(('GB', 'KR'))}",
        "search": lambda: f"/helpline/cases/?status=all&name={drawn.choice(WORDS)}+{drawn.randrange(1000):03}",
        "links, first page": lambda: "/helpline/links/",
        "supervision": lambda: "/helpline/supervision/",
    }
    rows = []
    for name, client in who.items():
        for page, address in pages.items():
            if page == "supervision" and name != "a supervisor":
                continue
            statements: list[str] = []

            def count(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
                statements.append(sql)  # noqa: B023 this page's
                return execute(sql, params, many, context)

            with connection.execute_wrapper(count):
                if client.get(address()).status_code != 200:
                    raise RuntimeError(f"{page} could not be opened")
            took = []
            for _ in range(times):
                asked = address()
                started = time.perf_counter()
                client.get(asked)
                took.append((time.perf_counter() - started) * 1000)
            p95 = statistics.quantiles(took, n=20)[-1]
            rows.append(Row(page, name, len(statements), statistics.median(took), p95))
            print(f"{p95:8.1f} ms  {page}, {name}", file=sys.stderr)
    return rows


def table(rows: list[Row], title: str) -> Table:
    """The rows."""
    shown = Table(title=title, caption=machine(), caption_justify="left")
    for name in ("page", "who", "SQL", "median ms", "p95 ms"):
        shown.add_column(name, justify="left" if name in ("page", "who") else "right")
    for row in rows:
        shown.add_row(row.page, row.who, str(row.queries), f"{row.median_ms:.1f}", f"{row.p95_ms:.1f}")
    return shown


def main() -> int:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case-files", type=int, default=100_000)
    parser.add_argument("--links", type=int, default=1_000_000)
    parser.add_argument("--organisations", type=int, default=20)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with a_site():
        started = time.perf_counter()
        who = fill(asked.case_files, asked.links, asked.organisations)
        print(f"filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        rows = measure(who, asked.times)
    title = f"{asked.case_files:,} case files and {asked.links:,} links of {asked.organisations} organisations"
    if asked.json:
        print(as_json({"machine": machine(), "about": title, "pages": [asdict(row) for row in rows]}))
    else:
        Console(width=120).print(table(rows, title))
    return 0


if __name__ == "__main__":
    sys.exit(main())
