"""A bank's version 2 kept in a list, well-behaved until a test spoils it: what a scripted bank answers from."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reclaim.client import Pinned
from reclaim.protocol.native_v2 import SNAPSHOT_TYPE, key_id, pae
from tests.unit.client.scripted_bank import Answer, Request, ScriptedBank

BANK_ID = "6b0f5a53-64d5-4c2f-9c4a-0c3b8f0e2a11"
_key = Ed25519PrivateKey.generate()
PUBLIC = _key.public_key().public_bytes_raw()
PINNED = Pinned(BANK_ID, base64.b64encode(PUBLIC).decode())
ABOUT = {
    "bank": "A bank",
    "bank_id": BANK_ID,
    "software": "reclaim",
    "staging": False,
    "events": "",
    "acknowledge_within_seconds": 86400,
    "tombstones_kept_seconds": 2592000,
    "largest_page": 2000,
    "largest_submission": 1000,
    "snapshot_key": PINNED.snapshot_key,
}
SCHEMA = pa.schema(
    [
        ("type", pa.dictionary(pa.int8(), pa.string())),
        ("value", pa.binary()),
        ("frames", pa.list_(pa.string())),
        ("quality", pa.uint8()),
        ("labels", pa.list_(pa.string())),
        ("provenance", pa.list_(pa.string())),
        ("trust", pa.uint8()),
        ("action", pa.dictionary(pa.int8(), pa.string())),
        ("changed_at", pa.timestamp("s", tz="UTC")),
    ]
)


def native_record(value: str, status: str = "active", **more: Any) -> dict[str, Any]:
    return {
        "type": "pdq" if len(value) == 64 else "md5",
        "value": value,
        "status": status,
        "changed_at": "2026-11-26T08:00:00Z",
        "trust": 60,
        "action": "block",
        "decisions": {"blocked": 0, "not_blocked": 0},
        **({"acknowledge_by": "2026-11-27T08:00:00Z"} if status == "withdrawn" else {}),
        **more,
    }


def parquet(values: Iterable[str], **more: Any) -> bytes:
    """A part with these values; ``more`` are other columns."""
    values = list(values)
    columns: dict[str, Any] = {
        "type": ["pdq"] * len(values),
        "value": [bytes.fromhex(value) for value in values],
        "frames": [None] * len(values),
        "quality": [90] * len(values),
        "labels": [[]] * len(values),
        "provenance": [["person"]] * len(values),
        "trust": [60] * len(values),
        "action": ["block"] * len(values),
        "changed_at": [1_780_000_000] * len(values),
        **more,
    }
    out = io.BytesIO()
    pq.write_table(pa.table(columns, schema=SCHEMA), out, compression="zstd")
    return out.getvalue()


def envelope(payload: dict[str, Any], key: Ed25519PrivateKey = _key) -> dict[str, Any]:
    """The payload, signed."""
    body = json.dumps(payload).encode()
    signature = key.sign(pae(SNAPSHOT_TYPE, body))
    return {
        "payloadType": SNAPSHOT_TYPE,
        "payload": base64.b64encode(body).decode(),
        "signatures": [{"keyid": key_id(PUBLIC), "sig": base64.b64encode(signature).decode()}],
    }


@dataclass
class Part:
    """A file of a snapshot, and what the manifest says of it."""

    content: bytes
    rows: int

    def told(self, snapshot: str, number: int) -> dict[str, Any]:
        return {
            "name": f"{number}.parquet",
            "bytes": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "rows": self.rows,
            "href": f"/v2/snapshot/{snapshot}/{number}.parquet",
        }


class NativeFeed:
    """A cursor is the ledger's name and the number of the last change."""

    def __init__(self, bank: ScriptedBank) -> None:
        self.bank = bank
        self.ledger = "first"
        self.position = 0
        self.changes: list[tuple[int, dict[str, Any]]] = []
        self.told: list[str] = []
        self.owed: list[str] = []
        self.parts: dict[str, list[Part]] = {}
        self.snapshot_name = ""
        self.snapshot_at = 0
        self.key = _key
        self.page_limit = 2000
        """However many are asked for."""
        self.spoil: Callable[[Request, Answer], Answer] = lambda request, answer: answer
        bank.answers = [self.answer]

    def put(self, *values: str, status: str = "active", **more: Any) -> None:
        """Change these signals."""
        for value in values:
            self.drop(value)
            self.position += 1
            self.changes.append((self.position, native_record(value, status, **more)))

    def drop(self, value: str) -> None:
        """Erase a signal: the feed no longer knows it."""
        self.changes = [each for each in self.changes if each[1]["value"] != value]

    def take_snapshot(self, name: str, rows_a_part: int = 1000) -> None:
        """Make a snapshot of what is active now."""
        values = [each["value"] for _, each in self.changes if each["status"] == "active"]
        some = [values[start : start + rows_a_part] for start in range(0, len(values), rows_a_part)]
        self.parts[name] = [Part(parquet(each), len(each)) for each in some]
        self.snapshot_name, self.snapshot_at = name, self.position

    def manifest(self) -> dict[str, Any]:
        parts = self.parts[self.snapshot_name]
        return {
            "snapshot": self.snapshot_name,
            "bank_id": BANK_ID,
            "made_at": "2026-11-26T08:00:00Z",
            "cursor": f"{self.ledger}.{self.snapshot_at}",
            "rows": sum(part.rows for part in parts),
            "parts": [part.told(self.snapshot_name, number) for number, part in enumerate(parts)],
        }

    def asked(self, place: str) -> list[Request]:
        """Requests to this place below ``/v2/``."""
        return [each for each in self.bank.requests if each.path.startswith(f"/v2/{place}")]

    def answer(self, request: Request) -> Answer:
        if request.path == "/v2/":
            return self.spoil(request, Answer(ABOUT))
        assert request.headers["authorization"].startswith("Bearer ")
        return self.spoil(request, self._right_answer(request))

    def _right_answer(self, request: Request) -> Answer:
        place = request.path.removeprefix("/v2/")
        if place == "signals":
            ledger, _, number = request.query.get("after", f"{self.ledger}.0").partition(".")
            if ledger != self.ledger:
                return Answer({"type": "urn:reclaim:cursor-gone"}, 410)
            due = [each for each in self.changes if each[0] > int(number)]
            here = due[: min(int(request.query["limit"]), self.page_limit)]
            cursor = f"{self.ledger}.{here[-1][0] if here else number}"
            records = [record for _, record in here]
            return Answer({"records": records, "cursor": cursor, "has_more": len(due) > len(here)})
        if place == "snapshot":
            return Answer(envelope(self.manifest(), self.key)) if self.snapshot_name else Answer({}, 404)
        if place.startswith("snapshot/"):
            _, name, file = place.split("/")
            if name not in self.parts:
                return Answer({}, 404)
            content = self.parts[name][int(file.removesuffix(".parquet"))].content
            start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
            return Answer(content[start:], 206 if start else 200)
        if place == "acknowledgements" and request.method == "POST":
            told = [each["value"] for each in request.body["acknowledgements"]]
            self.told += told
            self.owed = [value for value in self.owed if value not in told]
            return Answer({"taken": len(told), "refused": []})
        if place == "acknowledgements":
            times = {"withdrawn_at": "2026-11-26T08:00:00Z", "acknowledge_by": "2026-11-27T08:00:00Z"}
            return Answer({"owed": [{"type": "pdq", "value": each, **times} for each in self.owed], "has_more": False})
        return Answer({}, 404)
