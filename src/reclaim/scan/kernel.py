"""The kernel: a batch of files, or of signals computed already, in; a batch of results out. Every engine calls this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from reclaim.matching.pictures import look_up, matches_of
from reclaim.scan import faults
from reclaim.scan.indexes import Indexes
from reclaim.scan.schema import CLEAR, ERROR, MATCH, POOR, RESULTS, name_columns
from reclaim.scan.signals import scan_signals
from reclaim.scan.trim import MOST_MATCHES
from reclaim.signals import (
    MATCH_DISTANCE,
    NotAPicture,
    PictureTooLarge,
    SignalError,
    md5_of,
)
from reclaim.signals.luma import picture_of_bytes
from reclaim.signals.sources import read_bytes
from reclaim.signals.views import Views, plain_of, views_of

Row = dict[str, Any]


class Reader(Protocol):
    """Where the bytes of a file come from that did not come along in the batch."""

    def read(self, name: bytes, part: int, offset: int, size: int) -> bytes:
        """All of one file. Raises ``SignalError``, or ``WorkerStop`` where every other file would fail as well."""
        ...


@dataclass(frozen=True)
class ScanOptions:
    """How files are looked up."""

    turns: int = 8
    """8 looks each picture up as ``match_views`` does: turned, mirrored, and in its parts; 1 only as it lies."""
    radius: int = MATCH_DISTANCE
    """Bits, 0 to 64."""
    reader: Reader | None = None


def _ignore(_: int) -> None:
    pass


def scan_batch(
    batch: pa.RecordBatch, indexes: Indexes, options: ScanOptions, *, begins: Callable[[int], object] = _ignore
) -> pa.RecordBatch:
    """One row of ``RESULTS`` for each row, in order.

    The batch has ``name`` (binary or string) and one of these: ``pdq`` (fixed_size_binary(32), null where there is
    none) with optional ``quality`` (integer) and ``md5`` (fixed_size_binary(16)), signals computed already; or ``data``
    (binary), the files' bytes; or neither, and ``options.reader`` reads them by name and by the columns ``part``,
    ``offset`` and ``size``. A string in the column ``fault`` says that a row is known to be unreadable, and why
    (``faults.FAULTS``). ``begins`` hears of each file, by its row, before it is read.

    What is wrong with a file is its row's status. Raises ``WorkerStop`` as readers do, ``KeyError`` without ``name``,
    ``ValueError`` for a radius that is not 0 to 64.
    """
    if "pdq" in batch.schema.names:
        return scan_signals(batch, indexes, options.radius)
    rows: list[Row] = []
    hashed: list[Views | None] = []
    for number, file in enumerate(batch.to_pylist()):
        begins(number)
        row, views = _hash(file, options)
        rows.append(row)
        hashed.append(views)
    begins(len(rows))
    _look_up_pdq(rows, hashed, indexes, options.radius)
    _look_up_md5(rows, indexes)
    for row, views in zip(rows, hashed, strict=True):
        _judge(row, views)
    return pa.RecordBatch.from_pylist(rows, RESULTS)


def _hash(file: Row, options: ScanOptions) -> tuple[Row, Views | None]:
    """A file's row without matches, and its views; none where it has a fault."""
    given = file["name"]
    raw = given if isinstance(given, bytes) else given.encode()
    name, raw_name = name_columns(raw)
    size = file.get("size", -1)
    row: Row = {"name": name, "raw_name": raw_name, "size": size if size is not None and size >= 0 else None}
    row["matches"] = []
    try:
        data = _bytes_of(file, raw, options.reader)
        row["size"] = len(data)
        row["md5"] = md5_of(data)
        views = _views(data, options)
    except SignalError as error:
        code = faults.code_of(type(error))
    except MemoryError:
        code = faults.code_of(PictureTooLarge)
    else:
        row["pdq"], row["quality"] = views.original
        return row, views
    row["reason"], row["reason_text"] = code, faults.sentence_of(code)
    return row, None


def _views(data: bytes, options: ScanOptions) -> Views:
    picture = picture_of_bytes(data)
    return views_of(picture) if options.turns > 1 else plain_of(picture.luma)


def _bytes_of(file: Row, name: bytes, reader: Reader | None) -> bytes:
    if (fault := file.get("fault")) is not None:
        raise faults.FAULTS.get(fault, SignalError)
    if (data := file.get("data")) is not None:
        return read_bytes(data)
    if reader is None:
        raise NotAPicture
    return read_bytes(reader.read(name, file["part"], file["offset"], file["size"]))


def error_batch(name: bytes, size: int, kind: type[SignalError]) -> pa.RecordBatch:
    """The one row of a file that could not even be tried."""
    file = {"name": name, "size": size, "fault": faults.code_of(kind)}
    row, views = _hash(file, ScanOptions())
    _judge(row, views)
    return pa.RecordBatch.from_pylist([row], RESULTS)


def _look_up_pdq(rows: list[Row], hashed: list[Views | None], indexes: Indexes, radius: int) -> None:
    """Put what is near into the rows: each signal once, at the view and turn where it is nearest."""
    asked = [(row, views) for row, views in zip(rows, hashed, strict=True) if views is not None]
    found = look_up([views for _, views in asked], indexes.pdq, radius)
    for (row, views), hits in zip(asked, found, strict=True):
        row["matches"] = [
            {
                "type": "pdq",
                "signal_id": match.signal_id,
                "distance": match.distance,
                "turn": match.relation.turn,
                "how": match.relation.how,
            }
            for match in matches_of(views, hits).matches
        ]


def _look_up_md5(rows: list[Row], indexes: Indexes) -> None:
    if indexes.md5 is None:
        return
    for row in rows:
        if (value := row.get("md5")) is not None:
            ids = indexes.md5.query(bytes.fromhex(value)).tolist()
            row["matches"] = [{"type": "md5", "signal_id": each, "distance": 0} for each in ids] + row["matches"]


def _judge(row: Row, views: Views | None) -> None:
    matches = row["matches"]
    row["match_count"] = len(matches)
    row["matches"] = matches[:MOST_MATCHES]
    if matches and matches[0]["type"] == "md5":
        row["status"] = MATCH
    elif views is None:
        row["status"] = ERROR
    elif views.original.poor:
        row["status"] = POOR
    else:
        row["status"] = MATCH if matches else CLEAR
