"""Case files on PostgreSQL: how long a practitioner waits for a list, a search, the first page and a case file.

    python -m bench.casework [--case-files 100000] [--links 1000000] [--organisations 20] [--times 200] [--json]

A database is filled, with statistics as a server's own housekeeping leaves them; then the same pages that practitioners
open are asked for in this process, one after the other, without a network between: what is measured is the site and
its database. Sealed words are as long as sealed words are, and nobody's. The practitioner has forty case files at work;
the supervisor sees the whole of their organisation; ``--organisations 1`` gives it everything.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.load.postgres import Postgres
from tests.load.world import as_json, machine

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


class _Multiplied:
    """Rows that PostgreSQL makes by itself out of one, so that a million takes seconds."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor

    def rows(self, model: type[Any], like: Any, source: str, **columns: str) -> None:
        """Add a row for each row of ``source``, as ``like``, but with these columns, given as SQL."""
        table = model._meta.db_table
        names = [field.column for field in model._meta.concrete_fields]
        if model._meta.auto_field:
            names.remove(model._meta.pk.column)
        values = ", ".join(columns.get(name, f'l."{name}"') for name in names)
        listed = ", ".join(f'"{name}"' for name in names)
        # Without parameters, so that «%» is SQL's.
        self.cursor.execute(
            f'INSERT INTO "{table}" ({listed}) SELECT {values} FROM "{table}" l, {source} WHERE l."id" = \'{like.pk}\''
        )
        like.delete()


def _drawn(seed: int, below: int) -> str:
    """SQL of a whole number that looks drawn at random for ``s.n``, and is the same each time."""
    return f"(abs(hashint8(s.n::bigint * 1000 + {seed})::bigint) % {below})"


def _one_of(seed: int, values: Sequence[object]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"(ARRAY[{listed}])[1 + {_drawn(seed, len(values))}]"


def fill(case_files: int, links: int, organisations: int) -> dict[str, Any]:
    """Make everything; who looks at it, by name: a practitioner and a supervisor with their sessions."""
    from django.db import connection
    from django.test import Client

    from reclaim.bank.casework.models import CaseFile, Event, Note, Task
    from reclaim.bank.organisations.models import Organisation, Practitioner
    from reclaim.bank.takedown.models import Host, Link, Page
    from reclaim.sitekit.accounts.models import Member
    from reclaim.sitekit.permissions import Role
    from tests.members import practitioner

    people: list[Practitioner] = []
    for n in range(organisations):
        organisation = Organisation.objects.create(name=f"Organisation {n}", country="GB", languages=["en"])
        members = [
            Member.objects.create(name=f"p{n}-{m}", role=Role.PRACTITIONER, password="!")
            for m in range(max(1, case_files // organisations // PER_PRACTITIONER))
        ]
        people += Practitioner.objects.bulk_create(Practitioner(member=m, organisation=organisation) for m in members)
    first = people[0].organisation
    mine, theirs = Client(), Client()
    me = practitioner(mine, first, name="a practitioner")
    scope = Practitioner.Scope.ORGANISATION
    practitioner(theirs, first, Role.SUPERVISOR, scope=scope, name="a supervisor")
    like = CaseFile.objects.create(
        designation="", organisation=first, owner=people[0], channel="phone", words_sealed=b"x" * 300
    )
    with connection.cursor() as cursor:
        make = _Multiplied(cursor)
        whose = f"[1 + s.n % {len(people)}]"
        open_ones = f"{_drawn(1, 100)} < 16"
        touched = f"now() - {_drawn(2, 365 * 24 * 60)} * interval '1 minute'"
        make.rows(
            CaseFile,
            like,
            f"generate_series(1, {case_files}) s(n)",
            id="gen_random_uuid()",
            designation=f"{_one_of(3, WORDS)} || ' ' || {_one_of(4, WORDS)} || ' ' || lpad((s.n % 1000)::text, 3, '0')",
            owner_id=f"(ARRAY{[each.pk for each in people]}){whose}",
            organisation_id=f"(ARRAY{[each.organisation_id for each in people]}){whose}",
            status=f"CASE WHEN {open_ones} THEN 'open' ELSE 'closed' END",
            closed_at=f"CASE WHEN {open_ones} THEN NULL ELSE {touched} END",
            touched_at=touched,
            country=_one_of(5, ("GB", "DE", "FR", "KR", "BR", "IN", "")),
            language=_one_of(6, ("en", "de", "fr", "ko")),
            risk=_one_of(7, ("none", "none", "none", "watch", "watch", "urgent")),
        )
        at_work = CaseFile.objects.filter(organisation=first, status="open").values_list("pk", flat=True)[:40]
        CaseFile.objects.filter(pk__in=list(at_work)).update(owner=me)
        some = CaseFile.objects.all()[0]
        files = "(SELECT id, owner_id, organisation_id, status, row_number() OVER () AS n FROM casework_casefile) s"
        make.rows(
            Note,
            Note.objects.create(case_file=some, sealed=b"x" * 400),
            f"{files} CROSS JOIN generate_series(1, 3)",
            id="gen_random_uuid()",
            case_file_id="s.id",
        )
        event = Event.objects.create(case_file=some, kind="note")
        make.rows(Event, event, f"{files} CROSS JOIN generate_series(1, 5)", case_file_id="s.id")
        make.rows(
            Task,
            Task.objects.create(case_file=some, due_on="2026-11-26", sealed=b"x" * 100),
            files,
            id="gen_random_uuid()",
            case_file_id="s.id",
            practitioner_id="s.owner_id",
            due_on=f"current_date - 9 + {_drawn(8, 70)}::int",
            done_at="CASE WHEN s.status = 'open' THEN NULL ELSE now() END",
        )
        print(f"{case_files:,} case files", file=sys.stderr)
        hosts = Host.objects.bulk_create(Host(name=f"site{n}.example", domain=f"site{n}.example") for n in range(1000))
        page = Page.objects.create(mac=b"x", sealed_url="x" * 160, host=hosts[0])
        link = Link.objects.create(
            case_file=some, organisation=first, page=page, sealed_url="x" * 160, host="site0.example"
        )
        make.rows(
            Page,
            Page.objects.create(mac=b"y", sealed_url="x" * 160, host=hosts[0]),
            f"generate_series(1, {links}) s(n)",
            mac="sha256(s.n::text::bytea)",
            host_id=f"{hosts[0].pk} + s.n % 1000",
        )
        pages = (
            "(SELECT p.id AS page, h.name, f.id AS file, f.organisation_id AS organisation, p.id AS n "
            "FROM takedown_page p JOIN takedown_host h ON h.id = p.host_id "
            f"JOIN {files.removesuffix(' s')} f ON f.n = 1 + p.id % {case_files} WHERE p.id <> {page.pk}) s"
        )
        make.rows(
            Link,
            link,
            pages,
            id="gen_random_uuid()",
            case_file_id="s.file",
            organisation_id="s.organisation",
            page_id="s.page",
            host="s.name",
            state=_one_of(9, list(Link.State.values)),
            found_on=f"now() - {_drawn(10, 365 * 24 * 60)} * interval '1 minute'",
        )
        print(f"{links:,} links", file=sys.stderr)
        cursor.execute("VACUUM ANALYZE")
    return {"a practitioner": mine, "a supervisor": theirs}


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
