"""Signals out of a file that somebody hands over: text, CSV, JSON lines or Parquet, one after the other.

Videos come in JSON lines alone, as ``reclaim hash --type video --json`` prints them.

A line that cannot be used becomes a ``BadLine`` with its number and the reason, never its content.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from reclaim.index import code_of_digest
from reclaim.index.frames import MAX_VIDEO
from reclaim.signals import Frame, parse_md5, parse_pdq
from reclaim.signals.frames import parse_all_frames

Kind = Literal["text", "csv", "jsonl", "parquet"]
LINE_BYTES = 1 << 19
"""A line is shorter; one with all frames of a long video fits."""
_TELL_EVERY = 4096
_BY_SUFFIX: dict[str, Kind] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_ID = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_TYPE_BY_LENGTH = {64: "pdq", 32: "md5"}
_COLUMNS = ("type", "value", "id")
_NO_UTF8 = "The line is not UTF-8 text."

Told = Callable[[int, int], object]
"""Called now and then with how much is read, of how much: bytes, or rows of a Parquet file."""


class SignalLine(NamedTuple):
    """One signal."""

    number: int
    """Of its line, or its row in a Parquet file, from 1."""
    type: str
    """``pdq`` or ``md5``."""
    code: bytes
    """32 bytes, as the index keeps it."""
    id: int | None


class VideoLine(NamedTuple):
    """One video by its frames."""

    number: int
    frames: list[Frame]
    """Poor and repeated ones may be among them."""
    id: int | None


class BadLine(NamedTuple):
    """A line that cannot be used."""

    number: int
    reason: str


Line = SignalLine | VideoLine | BadLine


class BadFileError(Exception):
    """The whole file cannot be used; the sentence says why."""


def kind_of(path: Path) -> Kind:
    """What a file holds, by the end of its name; text if that says nothing."""
    return _BY_SUFFIX.get(path.suffix.lower(), "text")


def read_signals(path: Path, kind: Kind, told: Told) -> Iterator[Line]:
    """Every signal of the file. Raises ``BadFileError``, ``OSError``."""
    if kind == "parquet":
        yield from _parquet(path, told)
        return
    with path.open("rb") as file:
        size = path.stat().st_size
        yield from read_lines(file, kind, lambda done: told(done, size))


def read_lines(file: BinaryIO, kind: Kind, told: Callable[[int], object]) -> Iterator[Line]:
    """The same of an open file of lines; ``told`` hears how many bytes are read."""
    lines = _lines(file, told)
    if kind == "csv":
        yield from _csv(lines)
        return
    parse = _text if kind == "text" else _json
    for number, line in lines:
        text = line.strip() if line is not None else None
        if text is None:
            yield BadLine(number, _NO_UTF8)
        elif text and not (kind == "text" and text[0] == "#"):
            yield parse(number, text)


def _lines(file: BinaryIO, told: Callable[[int], object]) -> Iterator[tuple[int, str | None]]:
    """Each line with its number, from 1; ``None`` for one that is not text. No more than a few lines are in memory."""
    number = done = 0
    while data := file.readline(LINE_BYTES):
        number += 1
        done += len(data)
        whole = len(data) < LINE_BYTES or data.endswith(b"\n")
        while not whole and (rest := file.readline(LINE_BYTES)):
            done += len(rest)
            whole = rest.endswith(b"\n")
            data = b"\xff"  # far longer than any signal's: not to be read as one
        try:
            yield number, data.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            yield number, None
        if number % _TELL_EVERY == 0:
            told(done)
    told(done)


def _signal(number: int, kind: object, value: object, id_: object) -> SignalLine | BadLine:
    """What the fields say; each may be of any type, as JSON and Parquet have many."""
    if isinstance(value, bytes):
        value = value.hex()
    if not isinstance(value, str):
        return BadLine(number, "There is no value.")
    if not isinstance(kind, str) or kind.lower() not in ("pdq", "md5"):
        return BadLine(number, "The type is neither pdq nor md5.")
    number_or_none = _id(id_)
    if isinstance(number_or_none, str):
        return BadLine(number, number_or_none)
    try:
        if kind.lower() == "md5":
            return SignalLine(number, "md5", code_of_digest(bytes.fromhex(parse_md5(value))), number_or_none)
        parsed = parse_pdq(value)
    except ValueError as error:
        return BadLine(number, str(error))
    return SignalLine(number, "pdq", bytes.fromhex(parsed), number_or_none)


def _id(id_: object) -> int | str | None:
    """The id, ``None`` where there is none, or what is wrong with it."""
    if id_ is None:
        return None
    if isinstance(id_, str) and _ID.fullmatch(id_):
        id_ = int(id_)
    if not isinstance(id_, int) or isinstance(id_, bool) or not -(2**63) <= id_ < 2**63:
        return "The id is not a whole number of 64 bits."
    return id_


def _video(number: int, frames: object, id_: object) -> VideoLine | BadLine:
    video = _id(id_)
    if isinstance(video, str):
        return BadLine(number, video)
    if video is not None and not 0 <= video <= MAX_VIDEO:
        return BadLine(number, f"A video's id is 0 to {MAX_VIDEO}.")
    if not isinstance(frames, list) or not all(isinstance(each, str) for each in frames):
        return BadLine(number, "There is no list of frames.")
    try:
        parsed = parse_all_frames(frames)
    except ValueError as error:
        return BadLine(number, str(error))
    if all(frame.poor for frame in parsed):
        return BadLine(number, "No frame of this video has enough detail.")
    return VideoLine(number, parsed, video)


def _text(number: int, line: str) -> SignalLine | BadLine:
    words = line.replace(",", " ").split()
    kind = _TYPE_BY_LENGTH.get(len(words[0])) if 1 <= len(words) <= 2 else None
    if kind is None:
        return BadLine(number, "A line is a PDQ (64) or MD5 (32 hexadecimal characters), and after a space its id.")
    return _signal(number, kind, words[0], words[1] if len(words) == 2 else None)


def _json(number: int, line: str) -> Line:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return BadLine(number, "The line is not JSON.")
    if not isinstance(fields, dict):
        return BadLine(number, "The line is not a JSON object.")
    if fields.get("type") == "vpdq":
        return _video(number, fields.get("frames"), fields.get("id"))
    return _signal(number, *(fields.get(name) for name in _COLUMNS))


def _csv(lines: Iterable[tuple[int, str | None]]) -> Iterator[SignalLine | BadLine]:
    """Each line by itself: an open quotation mark spoils its own line and swallows no other."""
    at: dict[str, int] | None = None
    for number, line in lines:
        try:
            cells = next(csv.reader([line], strict=True), []) if line is not None else None
        except csv.Error:
            yield BadLine(number, "The line is not CSV.")
            continue
        if at is None:
            at = {name.strip().lower(): place for place, name in enumerate(cells or [])}
            if not {"type", "value"} <= at.keys():
                raise BadFileError("The first line of a CSV file names its columns: type,value,id.")
        elif cells is None:
            yield BadLine(number, _NO_UTF8)
        elif cells:
            places = [at.get(name, len(cells)) for name in _COLUMNS]
            yield _signal(number, *(cells[place].strip() or None if place < len(cells) else None for place in places))


def _parquet(path: Path, told: Told) -> Iterator[SignalLine | BadLine]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            rows = file.metadata.num_rows
            names = set(file.schema_arrow.names)
            if not {"type", "value"} <= names:
                raise BadFileError("A Parquet file of signals has the columns type and value, and may have id.")
            number = 0
            for batch in file.iter_batches(batch_size=16384, columns=[name for name in _COLUMNS if name in names]):
                columns = [batch.column(name).to_pylist() for name in batch.schema.names]
                place = {name: at for at, name in enumerate(batch.schema.names)}
                for row in zip(*columns, strict=True):
                    number += 1
                    yield _signal(number, *(row[place[name]] if name in place else None for name in _COLUMNS))
                told(number, rows)
    except (pyarrow.ArrowException, ValueError):
        raise BadFileError("This is no Parquet file, or it is damaged; write it anew.") from None
