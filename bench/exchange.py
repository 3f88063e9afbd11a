"""The exchange on PostgreSQL: a platform's first full sync, over each wire and by each client, and how it grows.

    python -m bench.exchange [--sizes 10000 100000 1000000] [--tx-up-to 100000] [--json]

A bank with so many signals, each a picture of a case, serves; then each client fetches all of them, one after the
other, on the same bank and in the same run. Everything is on the loopback of one machine, so the clients take their
share of its cores. The ``tx`` command (the ``threatexchange`` package's own) is asked up to ``--tx-up-to`` signals.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.load.clients import KINDS, Wire
from tests.load.memory import peak_mib
from tests.load.world import World, a_world, as_json, machine
from tests.system.exchange.peers import TX, stock_tx

TX_FETCH = "threatexchange's command, tx fetch"
TX_INDEX = "the same, with its index"


@dataclass(frozen=True)
class Row:
    """One client's first full sync."""

    signals: int
    client: str
    seconds: float
    megabytes: float
    """Of bodies; 0 where this client does not tell."""
    client_mib: float
    bank_mib: float
    postgres_mib: float

    @property
    def per_second(self) -> float:
        """Signals a second."""
        return self.signals / self.seconds


def measure(signals: int, tx_up_to: int) -> list[Row]:
    """Each client on a bank of so many signals."""
    rows: list[Row] = []
    with a_world() as world:
        filled = world.fill(signals)
        print(f"a bank of {signals:,} signals was filled in {filled:.1f} s", file=sys.stderr)
        # The first request of a kind reads code and plans queries; that is no client's doing.
        [keys] = world.add_platforms(1)
        for path in ("/v1/FetchHashes", "/v2/signals"):
            Wire(world.root, keys).get(path)
        for kind, keys in zip(KINDS, world.add_platforms(len(KINDS)), strict=True):
            took = world.synced(kind, keys)
            rows.append(
                Row(
                    signals,
                    kind,
                    took["seconds"],
                    took["bytes"] / 1e6,
                    took["peak_mib"],
                    took["bank_mib"],
                    took["postgres_mib"],
                )
            )
            print(f"{rows[-1].seconds:8.1f} s  {kind}", file=sys.stderr)
        if signals <= tx_up_to:
            rows += _tx(world, signals)
    return rows


def _tx(world: World, signals: int) -> list[Row]:
    rows: list[Row] = []
    for client, arguments in ((TX_FETCH, ["--skip-index-rebuild"]), (TX_INDEX, [])):
        [keys] = world.add_platforms(1)
        home = Path(world.folder, f"tx-{len(rows)}")
        home.mkdir()
        tx = stock_tx(home, world.bank, keys)
        world.forget_peak()
        started, peak = time.perf_counter(), 0.0
        with subprocess.Popen(
            [TX, "fetch", *arguments],
            cwd=home,
            env=tx.full_environment(),
            stdout=subprocess.DEVNULL,
            stderr=(home / "said").open("w"),
        ) as command:
            while command.poll() is None:
                with contextlib.suppress(OSError):  # it has just ended
                    peak = max(peak, peak_mib(command.pid))
                time.sleep(0.02)
        seconds = time.perf_counter() - started
        if command.returncode:
            raise RuntimeError(f"«tx fetch» ended with {command.returncode}:\n{(home / 'said').read_text()[-3000:]}")
        rows.append(Row(signals, client, seconds, 0.0, peak, world.bank_peak(), world.postgres_memory()))
        print(f"{seconds:8.1f} s  {client}", file=sys.stderr)
    return rows


def table(rows: list[Row]) -> Table:
    """The rows, with each client's time against the ``threatexchange`` client's own on the same bank."""
    stock = {row.signals: row.seconds for row in rows if row.client.startswith("threatexchange's client")}
    shown = Table(title="First full sync", caption=machine(), caption_justify="left")
    for name in ("signals", "client", "s", "signals/s", "against threatexchange", "MB", "client MiB", "bank MiB"):
        shown.add_column(name, justify="left" if name == "client" else "right")
    for row in rows:
        ratio = stock[row.signals] / row.seconds
        shown.add_row(
            f"{row.signals:,}",
            row.client,
            f"{row.seconds:.1f}",
            f"{row.per_second:,.0f}",
            f"{ratio:.2f}x as fast",
            f"{row.megabytes:.1f}" if row.megabytes else "",
            f"{row.client_mib:.0f}",
            f"{row.bank_mib:.0f}",
        )
    return shown


def main() -> int:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--tx-up-to", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = [row for size in asked.sizes for row in measure(size, asked.tx_up_to)]
    if asked.json:
        print(as_json({"machine": machine(), "syncs": [asdict(row) for row in rows]}))
    else:
        Console(width=140).print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
