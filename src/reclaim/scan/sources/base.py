"""What every source can do."""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import pyarrow as pa

from reclaim.scan.errors import WorkerStop
from reclaim.scan.faults import code_of
from reclaim.scan.schema import UNITS
from reclaim.signals import SignalError


class Unit(NamedTuple):
    """One file, or one slice of a table; ``schema.UNITS`` explains the fields."""

    name: bytes
    part: int = -1
    offset: int = -1
    size: int = -1
    rows: int = 1
    fault: str | None = None


def faulty(name: bytes, kind: type[SignalError], size: int = -1) -> Unit:
    """A unit that is known to be unreadable."""
    return Unit(name, size=size, fault=code_of(kind))


def units_batch(units: list[Unit]) -> pa.RecordBatch:
    """The units as a batch of ``UNITS``."""
    columns = list(zip(*units, strict=True)) if units else [()] * len(UNITS)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, UNITS, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=UNITS)


@dataclass(frozen=True)
class Source(ABC):
    """A source is handed to the worker processes as it is, and opens what it needs there."""

    shard_rows = 1000
    """Rows a shard, unless the caller says otherwise."""
    piece_units = 16
    """Units that a worker gets at once."""
    streamed = False
    """Whether the files' bytes can only be had in order, by ``stream``."""
    rows_counted = True
    """Whether each unit makes exactly the rows it says."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What tells this source from another, as JSON can hold it. Raises ``OSError``."""

    @abstractmethod
    def units(self) -> Iterator[Unit]:
        """All files, in an order of the source's own. Runs in a limited process. Raises ``WorkerStop``."""

    def prepare(self, units: pa.RecordBatch) -> pa.RecordBatch:
        """What ``scan_batch`` takes, of some units. Runs in a worker. Raises ``SignalError``, ``WorkerStop``."""
        return units

    def read(self, name: bytes, part: int, offset: int, size: int) -> bytes:
        """All bytes of a file; where ``prepare`` is the source's own, or it is ``streamed``, this is not asked.

        Runs in a worker. Raises ``SignalError``, ``WorkerStop``.
        """
        raise NotImplementedError

    def stream(self, wanted: list[tuple[int, int]]) -> Iterator[list[tuple[bytes | None, str | None]]]:
        """For the members from first to last (excluded) of each range, in order: bytes or a fault, some at a time.

        Ends early where the source does; only asked where it is ``streamed``. Runs in a limited process. Raises
        ``WorkerStop``.
        """
        raise NotImplementedError


def stamp(path: Path) -> dict[str, Any]:
    """What tells a file from a later one of the same name, and a folder from the place where it is mounted.

    The same on every machine that sees it, so the device is no part of it. Raises ``OSError``.
    """
    about = path.stat()
    name = os.fsencode(path).decode(errors="backslashreplace")
    if stat.S_ISDIR(about.st_mode):
        return {"path": name, "inode": about.st_ino}
    return {"path": name, "size": about.st_size, "modified_ns": about.st_mtime_ns}


@dataclass(frozen=True)
class PathSource(Source):
    """One that every machine that works on it sees under the same path."""

    path: Path
    stamped: dict[str, Any]
    """As ``stamp`` found it when this run began."""

    kind = "path"

    @classmethod
    def at(cls, path: Path) -> Self:
        """What lies at this path. Raises ``OSError``."""
        return cls(path, stamp(path))

    def identity(self) -> dict[str, Any]:
        return {"kind": self.kind, **self.stamped}

    def insist(self) -> None:
        """To be asked where something cannot be read. Raises ``WorkerStop`` if the source as a whole went away or is
        another one by now: where a disk is no longer mounted, everything seems to be missing."""
        try:
            same = stamp(self.path) == self.stamped
        except OSError:
            same = False
        if not same:
            raise WorkerStop("source")
