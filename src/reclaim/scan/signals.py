"""Signals computed already, looked up a whole batch at a time: no Python loop runs over the rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from reclaim.index import CODE_BYTES, ManyHits
from reclaim.scan import faults
from reclaim.scan.indexes import Indexes
from reclaim.scan.schema import CLEAR, ERROR, MATCH, MATCHES, POOR, RESULTS, name_columns
from reclaim.scan.trim import trimmed
from reclaim.signals import POOR_QUALITY, is_degenerate

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_MD5_BYTES = 16
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_DEGENERATE = np.array([is_degenerate(f"{(1 << ones) - 1:064x}") for ones in range(257)])
"""By the number of bits set, which is all that ``is_degenerate`` goes by."""


def scan_signals(batch: pa.RecordBatch, indexes: Indexes, radius: int) -> pa.RecordBatch:
    """As ``kernel.scan_batch``, for a batch with a column ``pdq``."""
    rows = batch.num_rows
    codes, there = _bytes_of(batch.column("pdq"), CODE_BYTES)
    found = _widened(indexes.pdq.query_many(codes[there], radius), there)
    md5_there = np.zeros(rows, np.bool_)
    md5 = pa.nulls(rows, pa.string())
    equal = ManyHits(np.zeros(rows + 1, np.int64), np.empty(0, np.int64), np.empty(0, np.uint16))
    if "md5" in batch.schema.names:
        digests, md5_there = _bytes_of(batch.column("md5"), _MD5_BYTES)
        md5 = _hex_of(digests, md5_there)
        if indexes.md5 is not None:
            same = indexes.md5.query_many(digests[md5_there])
            equal = _widened(ManyHits(same.starts, same.ids, np.zeros(len(same.ids), np.uint16)), md5_there)

    quality, weak = _quality(batch, rows)
    weak = weak | _DEGENERATE[np.bitwise_count(codes).sum(axis=1)]
    exact, near = np.diff(equal.starts) > 0, np.diff(found.starts) > 0
    # The later conditions win over the earlier ones.
    status = np.select([exact, ~there, weak, near], [MATCH, ERROR, POOR, MATCH], CLEAR)
    code = faults.code_of(faults.UnreadableSignal)
    matches = _both(equal, found)
    name, raw_name = _names(batch.column("name"))
    columns = {
        "name": name,
        "raw_name": raw_name,
        "size": pa.nulls(rows, pa.int64()),
        "md5": md5,
        "pdq": _hex_of(codes, there),
        "quality": quality,
        "status": pa.array(status.astype(object), pa.string()),
        "reason": pc.if_else(pa.array(there), None, pa.scalar(code)),
        "reason_text": pc.if_else(pa.array(there), None, pa.scalar(faults.sentence_of(code))),
        "matches": matches,
        "match_count": pa.array(np.diff(equal.starts) + np.diff(found.starts), pa.int32()),
    }
    return pa.RecordBatch.from_arrays([columns[field.name] for field in RESULTS], schema=RESULTS)


def _bytes_of(column: pa.Array, width: int) -> tuple[Bytes, Flags]:
    """A fixed_size_binary column as (n, width), zeros where it is null, and where it is not."""
    there = np.asarray(pc.is_valid(column).to_numpy(zero_copy_only=False), np.bool_)
    filled = pc.fill_null(column, pa.scalar(bytes(width), pa.binary(width)))
    data = np.frombuffer(filled.buffers()[1], np.uint8) if len(filled) else np.empty(0, np.uint8)
    start = filled.offset * width
    return data[start : start + len(filled) * width].reshape(-1, width), there


def _widened(found: ManyHits, asked: Flags) -> ManyHits:
    """The hits of those rows that were asked for, as hits of all rows."""
    counts = np.zeros(len(asked), np.int64)
    counts[asked] = np.diff(found.starts)
    return ManyHits(np.concatenate([[0], np.cumsum(counts)]), found.ids, found.distances)


def _hex_of(data: Bytes, there: Flags) -> pa.Array:
    """Each row as text in hexadecimal, null where there is none."""
    rows, width = data.shape
    text = np.empty((rows, width, 2), np.uint8)
    text[:, :, 0], text[:, :, 1] = _HEX[data >> 4], _HEX[data & 15]
    offsets = np.arange(rows + 1, dtype=np.int32) * (2 * width)
    array = pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(text))
    return pc.if_else(pa.array(there), array, None)


def _quality(batch: pa.RecordBatch, rows: int) -> tuple[pa.Array, Flags]:
    """The quality where one is told, and where it is poor."""
    if "quality" not in batch.schema.names:
        return pa.nulls(rows, pa.int16()), np.zeros(rows, np.bool_)
    quality = batch.column("quality").cast(pa.int16())
    return quality, np.asarray(pc.fill_null(pc.less(quality, POOR_QUALITY), False).to_numpy(zero_copy_only=False))


def _both(equal: ManyHits, found: ManyHits) -> pa.Array:
    """Exact matches and then near ones, row by row, as the column ``matches``."""
    counts = np.stack([np.diff(equal.starts), np.diff(found.starts)])
    starts = np.concatenate([[0], np.cumsum(counts.sum(axis=0))])
    borders, kept = trimmed(starts)
    order = np.concatenate([_places(starts[:-1], equal.starts), _places(starts[:-1] + counts[0], found.starts)])
    place = np.argsort(order)[kept]
    distances = np.concatenate([equal.distances, found.distances])[place].astype(np.int16)
    is_pdq = (place >= len(equal.ids)).astype(np.int8)
    types = pa.DictionaryArray.from_arrays(pa.array(is_pdq), pa.array(["md5", "pdq"])).cast(pa.string())
    plain = pa.array(np.zeros(len(place), np.int8), mask=is_pdq == 0)
    turns, hows = (pa.DictionaryArray.from_arrays(plain, [word]).cast(pa.string()) for word in ("original", "same"))
    ids = np.concatenate([equal.ids, found.ids])[place]
    items = pa.StructArray.from_arrays([types, pa.array(ids), pa.array(distances), turns, hows], fields=list(MATCHES))
    return pa.ListArray.from_arrays(pa.array(borders, pa.int32()), items, type=RESULTS.field("matches").type)


def _places(first: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where each hit belongs, if row r's begin at ``first[r]``."""
    counts = np.diff(starts)
    return np.arange(starts[-1]) + np.repeat(first - starts[:-1], counts)


def _names(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The names as text, and as bytes where the text is not all of them."""
    if pa.types.is_string(column.type):
        return column, pa.nulls(len(column), pa.binary())
    try:
        return column.cast(pa.string()), pa.nulls(len(column), pa.binary())
    except pa.ArrowInvalid:
        both = [name_columns(name) for name in column.to_pylist()]
        return pa.array([text for text, _ in both], pa.string()), pa.array([raw for _, raw in both], pa.binary())
