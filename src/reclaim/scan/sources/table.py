"""Parquet files of signals computed already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reclaim.scan.errors import WorkerStop
from reclaim.scan.faults import UnreadableTable, code_of
from reclaim.scan.schema import SIGNALS
from reclaim.scan.sources.base import PathSource, Unit, faulty

SLICE_ROWS = 8192
"""Rows that a worker looks up at once: also with the most matches a row, what it sends is less than it may send."""

MOST_GROUP_BYTES = 2**30
"""A row group that unpacks to more is refused: it has to be held in memory."""

_NAMES = ("name", "path", "uri", "id")
_COLUMNS = {"pdq", "quality", "md5", *_NAMES}
_VALUES = np.full(256, 255, np.uint8)
for _digits in (b"0123456789abcdef", b"0123456789ABCDEF"):
    _VALUES[np.frombuffer(_digits, np.uint8)] = np.arange(16)
_DAMAGE = (OSError, pa.ArrowException, ValueError, TypeError, KeyError, MemoryError)


def is_table(path: Path) -> bool:
    """By its first bytes."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


@lru_cache(maxsize=1)
def _group(path: Path, group: int) -> pa.Table:
    """The signals of one row group; the next slice is usually of the same."""
    with pq.ParquetFile(path) as file:
        columns = [name for name in file.schema_arrow.names if name in _COLUMNS]
        return _signals(file.read_row_group(group, columns=columns, use_threads=False), f"{path.name}:{group}")


@dataclass(frozen=True)
class TableSource(PathSource):
    """One Parquet file, or the ``*.parquet`` files directly in a folder, such as the results of an earlier scan."""

    kind = "signals"
    shard_rows = 16 * SLICE_ROWS
    piece_units = 1
    rows_counted = False

    def units(self) -> Iterator[Unit]:
        try:
            paths = sorted(self.path.glob("*.parquet")) if self.path.is_dir() else [self.path]
        except OSError:
            raise WorkerStop("source") from None
        for path in paths:
            name = os.fsencode(path.name)
            try:
                with pq.ParquetFile(path) as file:
                    yield from _slices(name, file)
            except _DAMAGE:
                self.insist()
                yield faulty(name, UnreadableTable)

    def prepare(self, units: pa.RecordBatch) -> pa.RecordBatch:
        [unit] = units.to_pylist()
        if unit["fault"] is not None:
            return units
        folder = self.path if self.path.is_dir() else self.path.parent
        try:
            rows = _group(folder / os.fsdecode(unit["name"]), unit["part"]).slice(unit["offset"], unit["rows"])
        except _DAMAGE:
            self.insist()
            name = unit["name"] + f", row group {unit['part']}, row {unit['offset']} and on".encode()
            return pa.RecordBatch.from_pylist([{"name": name, "fault": code_of(UnreadableTable)}])
        [batch] = rows.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], SIGNALS)]
        return batch


def _slices(name: bytes, file: pq.ParquetFile) -> Iterator[Unit]:
    if "pdq" not in file.schema_arrow.names:
        raise KeyError
    for group in range(file.metadata.num_row_groups):
        about = file.metadata.row_group(group)
        used = [about.column(each) for each in range(about.num_columns)]
        size = sum(each.total_uncompressed_size for each in used if each.path_in_schema in _COLUMNS)
        if size > MOST_GROUP_BYTES:
            yield faulty(name + f", row group {group}".encode(), UnreadableTable)
            continue
        for start in range(0, about.num_rows, SLICE_ROWS):
            yield Unit(name, part=group, offset=start, rows=min(SLICE_ROWS, about.num_rows - start))


def _signals(table: pa.Table, group: str) -> pa.Table:
    """The table's columns as ``schema.SIGNALS`` has them; ``group`` begins the names of rows that have none."""
    there = set(table.column_names)
    named = next((name for name in _NAMES if name in there), None)
    names = (
        table[named].cast(pa.string())
        if named
        else pa.array([f"{group}:{row}" for row in range(len(table))], pa.string())
    )
    names = pc.fill_null(names, "")
    columns = {"name": _whole(names).cast(pa.binary()), "pdq": _binary(_whole(table["pdq"]), 32)}
    if "quality" in there:
        quality = table["quality"].cast(pa.float64())
        columns["quality"] = pc.if_else(
            pc.and_(pc.greater_equal(quality, 0), pc.less_equal(quality, 100)), quality, None
        )
        columns["quality"] = pc.round(columns["quality"]).cast(pa.int16())
    if "md5" in there:
        columns["md5"] = _binary(_whole(table["md5"]), 16)
    return pa.table(columns)


def _whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _binary(column: pa.Array, width: int) -> pa.Array:
    """Hexadecimal text or bytes as fixed_size_binary, null for what is neither."""
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    if pa.types.is_fixed_size_binary(column.type) and column.type.byte_width == width:
        return column
    data = column.cast(pa.binary())
    digits = 2 * width if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) else width
    right = pc.fill_null(pc.equal(pc.binary_length(data), digits), False)
    fixed = pc.if_else(right, data, pa.scalar(b"0" * digits)).cast(pa.binary(digits))
    if digits == width:
        return pc.if_else(right, fixed, None)
    start = fixed.offset * digits
    text = np.frombuffer(fixed.buffers()[1], np.uint8)[start : start + len(fixed) * digits].reshape(-1, width, 2)
    values = _VALUES[text]
    hexadecimal = pa.array((values < 16).all(axis=(1, 2)))
    packed = pa.py_buffer(np.ascontiguousarray((values[:, :, 0] << 4) | (values[:, :, 1] & 15)))
    array = pa.Array.from_buffers(pa.binary(width), len(column), [None, packed])
    return pc.if_else(pc.and_(right, hexadecimal), array, None)
