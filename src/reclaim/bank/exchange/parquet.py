"""The whole feed of one platform as Parquet files, in bounded memory and without a lock or a long transaction."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reclaim.bank.exchange.records import Brought, brought_by, hour_of
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.ledger.queries import active_signals, of_values
from reclaim.bank.platforms.models import Platform

ROWS_A_PART = 250_000
BYTES_A_PART = 256 * 2**20
"""Of frames of videos, before they are compressed."""
_AT_ONCE = {"md5": 10_000, "pdq": 10_000, "vpdq": 50}
"""Rows that are read, and written, at once. A video's frames may be 300 KB."""

SCHEMA = pa.schema(
    [
        pa.field("type", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("value", pa.binary(), nullable=False),
        pa.field("frames", pa.list_(pa.string())),
        pa.field("quality", pa.uint8()),
        pa.field("labels", pa.list_(pa.string()), nullable=False),
        pa.field("provenance", pa.list_(pa.string()), nullable=False),
        pa.field("trust", pa.uint8(), nullable=False),
        pa.field("action", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("changed_at", pa.timestamp("s", tz="UTC"), nullable=False),
    ]
)


def write_parts(platform: Platform, folder: Path, beat: Callable[[], None]) -> list[dict[str, Any]]:
    """Write the platform's active signals into ``folder``, by type and value, and list the parts.

    ``beat`` is called after every few rows. Rows that change meanwhile may stand in them as they were or as they are:
    the feed after the position at which the reading began tells of each again. Raises ``OSError``.
    """
    parts: list[dict[str, Any]] = []
    batches = _batches(platform)
    batch = next(batches, None)
    while batch is not None:
        path = folder / f"{len(parts):04}.parquet"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        rows = size = 0
        with os.fdopen(descriptor, "wb") as file:
            with pq.ParquetWriter(file, SCHEMA, compression="zstd", write_statistics=False) as writer:
                while batch is not None and rows < ROWS_A_PART and size < BYTES_A_PART:
                    writer.write_batch(batch)
                    rows, size = rows + batch.num_rows, size + batch.nbytes
                    beat()
                    batch = next(batches, None)
            file.flush()
            os.fsync(file.fileno())
        with path.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        parts.append({"name": path.name, "bytes": path.stat().st_size, "sha256": digest, "rows": rows})
    return parts


def _batches(platform: Platform) -> Iterator[pa.RecordBatch]:
    for kind, at_once in _AT_ONCE.items():
        last = ""
        while records := active_signals(platform, kind, last, at_once):
            before, last = last, records[-1].value or ""
            yield _batch(records, brought_by(of_values(kind, before, last)))


def _batch(records: list[LedgerRecord], brought: Mapping[int, Brought]) -> pa.RecordBatch:
    keys = [record.pk for record in records]
    columns: dict[str, list[Any]] = {
        "type": [record.type for record in records],
        "value": [bytes.fromhex(record.value or "") for record in records],
        "frames": [record.frames for record in records],
        "quality": [brought[key].quality for key in keys],
        "labels": [brought[key].labels for key in keys],
        "provenance": [brought[key].names for key in keys],
        "trust": [record.trust for record in records],
        "action": ["review" if record.review_only else "block" for record in records],
        "changed_at": [hour_of(record.modified_at) for record in records],
    }
    return pa.RecordBatch.from_pydict(columns, schema=SCHEMA)
