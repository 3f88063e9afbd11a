"""The tables of a scan: what a source lists, what the kernel takes, what it gives."""

from __future__ import annotations

import pyarrow as pa

CLEAR, MATCH, POOR, ERROR = "clear", "match", "poor", "error"
STATUSES = (CLEAR, MATCH, POOR, ERROR)

UNITS = pa.schema(
    [
        # The name as the file system has it: bytes, of any kind.
        pa.field("name", pa.binary(), nullable=False),
        # Which part of the file: a member's number or place in an archive, a row group of a table; -1 for all of it.
        pa.field("part", pa.int64(), nullable=False),
        # Where in it: the first byte of a tar's member, the first row of a slice of a row group.
        pa.field("offset", pa.int64(), nullable=False),
        # Bytes, or -1 where the listing does not say.
        pa.field("size", pa.int64(), nullable=False),
        # How many rows of the result it makes, errors aside.
        pa.field("rows", pa.int64(), nullable=False),
        # A code of ``faults.FAULTS`` where the listing found that it cannot be read.
        pa.field("fault", pa.string()),
    ]
)
"""What a source lists: one row for each file, or for each slice of a table."""

DATA = pa.field("data", pa.binary())
"""Beside ``UNITS`` where the files' bytes come along, as from a compressed tar."""

SIGNALS = pa.schema(
    [
        pa.field("name", pa.binary(), nullable=False),
        pa.field("pdq", pa.binary(32)),
        pa.field("quality", pa.int16()),
        pa.field("md5", pa.binary(16)),
    ]
)
"""Signals computed already; null where a row has none."""

MATCHES = pa.struct(
    [
        pa.field("type", pa.string(), nullable=False),
        pa.field("signal_id", pa.int64(), nullable=False),
        pa.field("distance", pa.int16(), nullable=False),
        pa.field("turn", pa.string()),
        # How the file relates to the known picture, a word of ``matching.relation.How``.
        pa.field("how", pa.string()),
    ]
)

RESULTS = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("raw_name", pa.binary()),
        pa.field("size", pa.int64()),
        pa.field("md5", pa.string()),
        pa.field("pdq", pa.string()),
        pa.field("quality", pa.int16()),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("reason_text", pa.string()),
        pa.field("matches", pa.list_(pa.field("item", MATCHES, nullable=False)), nullable=False),
        pa.field("match_count", pa.int32(), nullable=False),
    ]
)
"""One row for each file; docs/scan.md explains the columns."""


def name_columns(name: bytes) -> tuple[str, bytes | None]:
    """A name as text, and as bytes where the text is not all of it."""
    try:
        return name.decode(), None
    except UnicodeDecodeError:
        return name.decode(errors="replace"), name


def to_bytes(batch: pa.RecordBatch) -> bytes:
    """The batch as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    taken: bytes = sink.getvalue().to_pybytes()
    return taken


def from_bytes(data: bytes) -> pa.RecordBatch:
    """The one batch of an Arrow IPC stream, checked in full. Raises ``ValueError`` where it is none."""
    try:
        with pa.ipc.open_stream(data) as reader:
            batch = reader.read_next_batch()
        batch.validate(full=True)
    except (pa.ArrowException, StopIteration, OSError) as error:
        raise ValueError("This is no Arrow batch.") from error
    return batch
