"""Fifty platforms follow the feed while cases come in, and every copy is held to the ledger at the end.

    python -m tests.load.readers [--signals 20000] [--readers 50] [--cases 20] [--seconds 60] [--json]

Half of the platforms speak version 1, half version 2; none pauses between its pages, from the beginning of the feed to
its end and on. Every fourth case is withdrawn two seconds after it was made. Fails if a record is lost, invented, out
of order or, over version 2, given twice.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.load.following import READ
from tests.load.world import World, a_world, as_json, machine
from tests.system.environment import plain_environment
from tests.system.site_process import said_in

PROCESSES = 4
"""That the readers are spread over."""

_WRITE = """
from tests.load.writing import write
write(say, *arguments)
"""
_LEDGER = """
from reclaim.bank.ledger.models import LedgerRecord
say(list(LedgerRecord.objects.order_by("position").values_list("value", "status", "only_for__name")))
"""


def measure(signals: int, readers: int, cases: float, seconds: float) -> dict[str, Any]:
    """One run: what the writers and the readers got done, and what each reader's copy lacks."""
    with a_world() as world:
        world.fill(signals)
        world.forget_peak()
        processes = _start_readers(world, readers)
        started = time.perf_counter()
        told = world.bank.run(_WRITE, cases, seconds)
        (world.folder / "stop").touch()
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline().strip() != READ:
                raise RuntimeError(f"readers ended early:\n{process.communicate()[1][-2000:]}")
        read = time.perf_counter() - started
        [ledger] = world.bank.run(_LEDGER)
        _show_ledger(world.folder, ledger)
        reports = [report for process in processes for report in said_in(process.communicate()[0].splitlines())]
        return {
            "machine": machine(),
            "signals before": signals,
            "signals after": sum(only_for is None for _, _, only_for in ledger),
            "canaries": sum(only_for is not None for _, _, only_for in ledger),
            "readers": len(reports),
            "seconds": read,
            "cases a second": sum("made" in each for each in told) / max(each["at"] for each in told if "made" in each),
            "signals told saved": sum(len(each.get("made", ())) for each in told),
            "signals told withdrawn": sum(len(each.get("withdrawn", ())) for each in told),
            "told but not so": _broken_promises(told, {value: status for value, status, _ in ledger}),
            "case ms": _percentiles([each["ms"] for each in told if "made" in each]),
            "withdrawal ms": _percentiles([each["ms"] for each in told if "withdrawn" in each]),
            "bank MiB": world.bank_peak(),
            "wires": {wire: _summed([each for each in reports if each["wire"] == wire], read) for wire in ("v1", "v2")},
        }


def _start_readers(world: World, count: int) -> list[subprocess.Popen[str]]:
    named = [
        {"wire": "v2" if number % 2 else "v1", "name": keys.pop("name"), "keys": keys}
        for number, keys in enumerate(world.add_platforms(count))
    ]
    processes = []
    for first in range(min(PROCESSES, count)):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.load.following", str(world.folder), world.root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=plain_environment(),
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(named[first::PROCESSES]))
        process.stdin.close()
        # Closed, and not to be flushed again.
        process.stdin = None
        processes.append(process)
    return processes


def _show_ledger(folder: Path, ledger: list[list[str | None]]) -> None:
    written = folder / "ledger.part"
    written.write_text(json.dumps(ledger))
    written.rename(folder / "ledger.json")


def _broken_promises(told: list[dict[str, Any]], ledger: dict[str, str]) -> int:
    """How many signals stand otherwise in the ledger than the bank said."""
    said = {value: "active" for each in told for value in each.get("made", ())}
    said |= {value: "withdrawn" for each in told for value in each.get("withdrawn", ())}
    return sum(ledger.get(value) != status for value, status in said.items())


def _percentiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100)
    return {"p50": cuts[49], "p99": cuts[98]}


def _summed(reports: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    summed = {name: sum(report[name] for report in reports) for name in reports[0] if name != "wire"}
    return {"readers": len(reports), "pages a second": summed["pages"] / seconds, **summed}


def faults_of(run: dict[str, Any]) -> list[str]:
    """What must not be: sentences."""
    faults = [f"{run['told but not so']} signals are not as the bank said"] if run["told but not so"] else []
    for wire, seen in run["wires"].items():
        must_be_none = ["lost", "invented", "wrong status", "out of order", *(["again"] if wire == "v2" else [])]
        faults += [f"{wire}: {seen[name]} {name}" for name in must_be_none if seen[name]]
    return faults


def table(run: dict[str, Any]) -> Table:
    """The run."""
    title = (
        f"{run['readers']} readers for {run['seconds']:.0f} s, of a bank with {run['signals before']:,} signals, "
        f"while {run['cases a second']:.1f} cases a second came in"
    )
    caption = (
        f"A case: {run['case ms']['p50']:.0f} ms (p50), {run['case ms']['p99']:.0f} ms (p99); a withdrawal: "
        f"{run['withdrawal ms']['p50']:.0f} and {run['withdrawal ms']['p99']:.0f} ms. The bank's largest process: "
        f"{run['bank MiB']:.0f} MiB. {run['machine']}"
    )
    shown = Table(title=title, caption=caption, caption_justify="left")
    columns = (
        "wire",
        "readers",
        "pages a second",
        "records",
        "again",
        "lost",
        "invented",
        "wrong status",
        "out of order",
    )
    for name in columns:
        shown.add_column(name, justify="right")
    for wire, seen in run["wires"].items():
        cells = [f"{seen[name]:,.0f}" for name in columns[1:]]
        shown.add_row(wire, *cells)
    return shown


def main() -> int:
    """Measure, show, and say whether every copy was right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signals", type=int, default=20_000)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--cases", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    run = measure(asked.signals, asked.readers, asked.cases, asked.seconds)
    console = Console(width=140)
    if asked.json:
        sys.stdout.write(as_json(run) + "\n")
    else:
        console.print(table(run))
    for fault in faults_of(run):
        sys.stderr.write(fault + "\n")
    return int(bool(faults_of(run)))


if __name__ == "__main__":
    sys.exit(main())
