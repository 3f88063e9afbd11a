"""Kill -9 at random moments: the bank's server, PostgreSQL, or the platform's client, while persons come and go.

    python -m tests.load.kill [--rounds 100] [--seed N] [--follow] [--json]

Persons make and withdraw cases over HTTP and remember what they were told. After each kill everything is started
again, what was on its way is sent again, and then three must agree to the signal: what persons were told, the bank's
tables, and the copy that the platform's client keeps by itself. So nothing that was told is lost, nothing is there
twice, and nothing that was withdrawn comes back.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from tests.load.persons import Person, Told
from tests.load.postgres import Postgres
from tests.load.world import World, a_world, as_json, machine
from tests.system.environment import RECLAIM, plain_environment
from tests.system.platform.site import Platform
from tests.system.site_process import Bank

PERSONS = 6
LONGEST_CALM = 1.5
"""Seconds of work before a kill, at most."""
PATIENCE = 60.0
"""Seconds in which the platform's copy must agree with the bank."""
CODES = 4000

_FOLLOW = """
import sys, time
from pathlib import Path
from reclaim.sitekit.setup import open_site
open_site("reclaim.platform.settings", Path(sys.argv[1]), None)
from reclaim.client import BankError, SyncOvertaken
from reclaim.platform.work import bank_client, sync
client = bank_client()
while True:
    try:
        sync(client)
    except (BankError, SyncOvertaken):
        pass
    time.sleep(0.05)
"""
_CANARIES = "SELECT value FROM ledger_ledgerrecord WHERE only_for_id IS NOT NULL"
_ACTIVE = "SELECT value FROM ledger_ledgerrecord WHERE status = 'active' AND only_for_id IS NULL"
_SOURCES = """
SELECT count(*) FROM ledger_source JOIN ledger_ledgerrecord ON record_id = ledger_ledgerrecord.id
WHERE state = 'active' AND only_for_id IS NULL
"""


@dataclass
class Report:
    """All rounds together."""

    rounds: int = 0
    killed: dict[str, int] = field(default_factory=dict)
    cases: int = 0
    signals: int = 0
    withdrawn: int = 0
    sent_again: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Client:
    """The platform's client: it follows the feed into the platform's own database.

    Either syncs again and again without a pause, so that a kill mostly meets it at work; or as an operator runs it,
    waiting for the bank to say that something changed.
    """

    def __init__(self, platform: Platform, follow: bool) -> None:
        self._data = platform.data
        self._command = (
            [RECLAIM, "platform", "sync", "--follow", "--data", str(self._data)]
            if follow
            else [sys.executable, "-c", _FOLLOW, str(self._data)]
        )
        self._log = platform.data.parent / "client.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Begin, or begin again."""
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=plain_environment(),
            )

    def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def said_at_its_end(self) -> str:
        """What it said last, if it has ended although nobody killed it."""
        return self._log.read_text()[-2000:] if self._process is not None and self._process.poll() is not None else ""

    def held(self) -> list[str]:
        """The values of its copy, as its database has them."""
        with contextlib.closing(sqlite3.connect(self._data / "site.sqlite3", timeout=20)) as database:
            return [value for (value,) in database.execute("SELECT value FROM platform_subscription_knownsignal")]


def run(
    rounds: int, seed: int, follow: bool, on_round: Callable[[Report, str], None] = lambda report, victim: None
) -> Report:
    """So many kills of one bank and one platform, and whether all agreed after each."""
    chosen = random.Random(seed)
    report, told, lock = Report(), Told(), threading.Lock()
    started = time.monotonic()
    with a_world(events=follow, RECLAIM_TRUSTED_PROXIES="1") as world:
        codes = world.make_codes(CODES)
        [keys] = world.add_platforms(1)
        platform = Platform(world.folder / "platform")
        platform.join(f"{world.root}/v2", keys)
        client = Client(platform, follow)
        persons = [Person(world.root, codes, told, lock) for _ in range(PERSONS)]
        try:
            for person in persons:
                person.start()
            victims: dict[str, Bank | Postgres | Client] = {
                "the bank's server": world.bank,
                "PostgreSQL": world.postgres,
                "the platform's client": client,
            }
            for _ in range(rounds):
                victim = chosen.choice(list(victims))
                time.sleep(chosen.uniform(0.05, LONGEST_CALM))
                victims[victim].kill()
                victims[victim].start()
                for person in persons:
                    person.rest()
                report.rounds += 1
                report.killed[victim] = report.killed.get(victim, 0) + 1
                report.faults += [f"round {report.rounds}, {victim}: {fault}" for fault in _faults(world, client, told)]
                on_round(report, victim)
                for person in persons:
                    person.go_on()
        finally:
            for person in persons:
                person.stop()
            client.kill()
    report.cases, report.signals, report.withdrawn = told.cases, len(told.saved), len(told.withdrawn)
    report.sent_again, report.seconds = told.sent_again, time.monotonic() - started
    return report


def _faults(world: World, client: Client, told: Told) -> list[str]:
    with psycopg.connect(world.bank.database_url, autocommit=True) as database:
        active = [value for (value,) in database.execute(_ACTIVE)]
        [(sources,)] = database.execute(_SOURCES).fetchall()
        [(cases,)] = database.execute("SELECT count(*) FROM cases_case").fetchall()
        faults = _compared("the bank", active, told)
        if cases != told.cases:
            faults.append(f"the bank has {cases} cases, persons were told of {told.cases}")
        if sources != len(active):
            faults.append(f"{sources} sources keep {len(active)} signals in the bank")
        deadline = time.monotonic() + PATIENCE
        while True:
            # Asked each time, and after the copy was read: the bank puts some in whenever it likes.
            held = client.held()
            canaries = {value for (value,) in database.execute(_CANARIES)}
            held = [value for value in held if value not in canaries]
            if set(held) == told.in_place or time.monotonic() > deadline:
                return faults + _compared("the platform", held, told)
            if said := client.said_at_its_end():
                return [*faults, f"the platform's client ended by itself:\n{said}"]
            time.sleep(0.1)


def _compared(who: str, values: list[str], told: Told) -> list[str]:
    there = set(values)
    counts = {
        "lost": len(told.in_place - there),
        "back although withdrawn": len(there & told.withdrawn),
        "nobody was told of": len(there - told.saved),
        "twice": len(values) - len(there),
    }
    return [f"{who} has {count} signals {what}" for what, count in counts.items() if count]


def table(report: Report) -> Table:
    """The report."""
    title = f"{report.rounds} kills in {report.seconds:.0f} s: {'no fault' if not report.faults else 'FAULTS'}"
    caption = (
        f"{report.cases:,} cases with {report.signals:,} signals were told saved, {report.withdrawn:,} signals "
        f"withdrawn; {report.sent_again:,} requests were sent again. {machine()}"
    )
    shown = Table(title=title, caption=caption, caption_justify="left")
    for name in ("killed", "times"):
        shown.add_column(name, justify="left" if name == "killed" else "right")
    for victim, times in report.killed.items():
        shown.add_row(victim, str(times))
    return shown


def main() -> int:
    """Run, show, and say whether all agreed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--follow", action="store_true", help="the client waits for the bank's events")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    console = Console(stderr=True, highlight=False)

    def on_round(report: Report, victim: str) -> None:
        faults = [fault for fault in report.faults if fault.startswith(f"round {report.rounds},")]
        console.print(f"{report.rounds:4}  {victim}", *faults)

    report = run(asked.rounds, asked.seed, asked.follow, on_round)
    told: dict[str, Any] = {"machine": machine(), "seed": asked.seed, **asdict(report)}
    if asked.json:
        sys.stdout.write(as_json(told) + "\n")
    else:
        Console(width=110).print(table(report))
    return int(bool(report.faults))


if __name__ == "__main__":
    sys.exit(main())
