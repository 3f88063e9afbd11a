"""Readers that follow a bank's feed over HTTP until they are told to stop, and then hold their copies to the ledger.

    python -m tests.load.following FOLDER V1_URL < [{"wire": "v1" or "v2", "name": …, "keys": {…}}, …]

Each reader is a thread. They follow until FOLDER has a file «stop», read on to the end of the feed, say so,
wait for «ledger.json» (``[[value, status, platform or null], …]`` in the ledger's order), and print a line each.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.load.clients import PAGE, Wire

READ = "read"


@dataclass
class Reader:
    """One platform's copy of the feed, and what came to it."""

    wire: str
    name: str
    keys: dict[str, str]
    pages: int = 0
    empty: int = 0
    records: int = 0
    again: int = 0
    """Records that came although the very same had come: version 1 repeats its last second when it resumes."""
    out_of_order: int = 0
    """Records whose time is before one that came on an earlier page."""
    copy: dict[str, str] = field(default_factory=dict)
    _seen: set[tuple[str, str, str]] = field(default_factory=set)
    _place: dict[str, int] = field(default_factory=dict)
    _latest: str = ""

    def follow(self, root: str, stop: Path) -> None:
        """Read until the file is there, and then to the end."""
        wire = Wire(root, self.keys)
        steps = self._steps_v1(wire) if self.wire == "v1" else self._steps_v2(wire)
        last_round = False
        for at_end in steps:
            if at_end and last_round:
                return
            last_round = last_round or stop.exists()

    def _steps_v1(self, wire: Wire) -> Any:
        start = 10
        while True:
            token, next_start = "", start
            while True:
                path = f"/v1/FetchHashes?startTimestamp={start}&pageSize={PAGE}&nextPageToken={quote(token)}"
                page = json.loads(wire.get(path))
                self._take(
                    [
                        (record["hashValue"], record["hashStatus"].lower(), f"{record['lastModtimestamp']:012}")
                        for record in page["hashRecords"]
                    ]
                )
                next_start = page["nextSetTimestamp"]
                if not page["hasMoreRecords"]:
                    break
                token = page["nextPageToken"]
                yield False
            start = next_start
            yield True

    def _steps_v2(self, wire: Wire) -> Any:
        cursor = ""
        while True:
            page = json.loads(wire.get(f"/v2/signals?limit={PAGE}" + (f"&after={quote(cursor)}" if cursor else "")))
            self._take([(record["value"], record["status"], record["changed_at"]) for record in page["records"]])
            cursor = page["cursor"]
            yield not page["has_more"]

    def _take(self, records: list[tuple[str, str, str]]) -> None:
        self.pages += 1
        self.empty += not records
        self.records += len(records)
        for value, status, changed in records:
            if (value, status, changed) in self._seen:
                self.again += 1
                continue
            self._seen.add((value, status, changed))
            self.out_of_order += changed < self._latest
            self.copy[value] = status
            self._place[value] = self.pages
        self._latest = max([self._latest, *(changed for _, _, changed in records)])

    def reconcile(self, ledger: list[tuple[str, str, str | None]]) -> dict[str, Any]:
        """What differs from the ledger, as far as this platform is given it."""
        truth = {value: status for value, status, only_for in ledger if only_for in (None, self.name)}
        places = [self._place.get(value, 0) for value in truth]
        return {
            "wire": self.wire,
            "pages": self.pages,
            "empty": self.empty,
            "records": self.records,
            "again": self.again,
            "lost": len(truth.keys() - self.copy.keys()),
            "invented": len(self.copy.keys() - truth.keys()),
            "wrong status": sum(self.copy.get(value, status) != status for value, status in truth.items()),
            "out of order": self.out_of_order + sum(before > after for before, after in pairwise(places)),
        }


def main() -> int:
    """Run the readers that standard input names."""
    folder, url = Path(sys.argv[1]), sys.argv[2]
    readers = [Reader(**each) for each in json.load(sys.stdin)]
    stop, ledger = folder / "stop", folder / "ledger.json"
    with ThreadPoolExecutor(len(readers)) as pool:
        list(pool.map(lambda reader: reader.follow(url, stop), readers))
    sys.stdout.write(READ + "\n")
    sys.stdout.flush()
    while not ledger.exists():
        time.sleep(0.05)
    truth = json.loads(ledger.read_text())
    for reader in readers:
        sys.stdout.write(json.dumps(reader.reconcile(truth)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
