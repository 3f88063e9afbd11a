"""A client's first full sync, in a process of its own so that its memory is its own.

    python -m tests.load.clients KIND V1_URL KEYS_AS_JSON

prints ``{"seconds", "records", "bytes", "peak_mib"}``; ``bytes`` counts bodies, where the kind can see them.
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pyarrow.parquet

from reclaim.client import BankClient, Keys, NativeClient, NativeKeys, Pinned, ask_about, sync
from reclaim.protocol.stopncii_v1 import FUNCTION_KEY_HEADER, SUBSCRIPTION_KEY_HEADER
from tests.load.memory import peak_mib
from tests.unit.client.memory_store import MemoryStore

PAGE = 800


@dataclass
class Synced:
    """What a sync took."""

    records: int
    bytes: int = 0
    seconds: float = 0.0
    peak_mib: float = 0.0


class Wire:
    """One connection to a bank that stays open: the least that a client can do."""

    def __init__(self, url: str, keys: dict[str, str]) -> None:
        self._place = urlsplit(url)
        self._v1 = {FUNCTION_KEY_HEADER: keys["fetch_key"], SUBSCRIPTION_KEY_HEADER: keys["subscription_key"]}
        self._v2 = {"Authorization": f"Bearer {keys['platform_key']}"}
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str) -> bytes:
        """The body that a GET answers. Raises ``RuntimeError`` for any status but 200."""
        status, body = self.ask(path)
        if status != 200:
            raise RuntimeError(f"the bank answered {status}: {body[:200]!r}")
        return body

    def ask(self, path: str) -> tuple[int, bytes]:
        """Status and body; asks again on a new connection where the bank closed the old one."""
        headers = self._v1 if path.startswith("/v1/") else self._v2
        for fresh in (False, True):
            if self._connection is None or fresh:
                self._connection = http.client.HTTPConnection(self._place.hostname or "", self._place.port, timeout=120)
            try:
                self._connection.request("GET", path, headers=headers)
                answer = self._connection.getresponse()
                body = answer.read()
                break
            except (http.client.HTTPException, ConnectionError):
                if fresh:
                    raise
        return answer.status, body

    def v1(self, start: int = 10) -> Iterator[bytes]:
        """Every page of version 1 from a timestamp on."""
        token = ""
        while True:
            body = self.get(f"/v1/FetchHashes?startTimestamp={start}&pageSize={PAGE}&nextPageToken={quote(token)}")
            yield body
            # Not parsed: this measures the bank.
            head = json.loads(body[: body.index(b',"hashRecords"')] + b"}")
            if not head["hasMoreRecords"]:
                return
            token = head["nextPageToken"]

    def v2(self, cursor: str = "") -> Iterator[dict[str, Any]]:
        """Every page of version 2 from a cursor on, parsed, with the bytes of its body under ``bytes``."""
        while True:
            body = self.get(f"/v2/signals?limit={PAGE}" + (f"&after={quote(cursor)}" if cursor else ""))
            page = json.loads(body)
            yield page | {"bytes": len(body)}
            if not page["has_more"]:
                return
            cursor = page["cursor"]


def _only_pages_v1(url: str, keys: dict[str, str]) -> Synced:
    pages = list(map(len, Wire(url, keys).v1()))
    return Synced(len(pages) * PAGE, sum(pages))


def _only_pages_v2(url: str, keys: dict[str, str]) -> Synced:
    done = Synced(0)
    for page in Wire(url, keys).v2():
        done.records += len(page["records"])
        done.bytes += page["bytes"]
    return done


def _only_snapshot(url: str, keys: dict[str, str]) -> Synced:
    wire = Wire(url, keys)
    while (answer := wire.ask("/v2/snapshot"))[0] == 202:
        time.sleep(0.1)
    payload = json.loads(base64.b64decode(json.loads(answer[1])["payload"]))
    done = Synced(0, len(answer[1]))
    for part in payload["parts"]:
        body = wire.get(urlsplit(part["href"]).path)
        done.bytes += len(body)
        done.records += pyarrow.parquet.read_table(io.BytesIO(body)).num_rows
    return done


def _ours_v1(url: str, keys: dict[str, str]) -> Synced:
    store = MemoryStore()
    client = BankClient(url, Keys(keys["fetch_key"], keys["subscription_key"], keys["feedback_key"]))
    report = sync(client, store)
    if report.skipped:
        raise RuntimeError(f"{report.skipped} records could not be read")
    return Synced(len(store.signals))


def _ours_v2(url: str, keys: dict[str, str], scratch: Path | None = None) -> Synced:
    base = url.removesuffix("/v1") + "/v2"
    pinned = Pinned.of(ask_about(base)) if scratch is not None else None
    key = keys["platform_key"]
    client = NativeClient(base, NativeKeys(key, key, key), pinned=pinned, scratch=scratch)
    store = MemoryStore()
    report = sync(client, store)
    if report.skipped:
        raise RuntimeError(f"{report.skipped} records could not be read")
    return Synced(len(store.signals))


def _ours_snapshot(url: str, keys: dict[str, str]) -> Synced:
    with tempfile.TemporaryDirectory() as scratch:
        return _ours_v2(url, keys, Path(scratch))


def _stock_pages(url: str, keys: dict[str, str]) -> Synced:
    from threatexchange.exchanges.clients.stopncii.api import StopNCIIAPI

    api = StopNCIIAPI(keys["subscription_key"], keys["fetch_key"], base_url_override=url)
    kept: dict[str, Any] = {}
    for page in api.fetch_hashes_iter():
        kept |= {record.hashValue: record for record in page.hashRecords}
    return Synced(len(kept))


KINDS: dict[str, Callable[[str, dict[str, str]], Synced]] = {
    "pages of v1, only read": _only_pages_v1,
    "pages of v2, only read": _only_pages_v2,
    "snapshot of v2, only read": _only_snapshot,
    "our client, v1": _ours_v1,
    "our client, v2 from its beginning": _ours_v2,
    "our client, v2 from a snapshot": _ours_snapshot,
    "threatexchange's client, v1": _stock_pages,
}


def main() -> int:
    """Run the one that the command names."""
    kind, url, keys = sys.argv[1:]
    started = time.perf_counter()
    done = KINDS[kind](url, json.loads(keys))
    done.seconds = time.perf_counter() - started
    done.peak_mib = peak_mib(os.getpid())
    sys.stdout.write(json.dumps(asdict(done)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
