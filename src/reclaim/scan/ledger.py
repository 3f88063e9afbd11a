"""What is done of a scan, as files: a shard is done exactly if its result is there.

scan.json                        what is scanned, against which index, how; written last of what begins a scan
lock                             held by the process that scans
index/                           the index as it was when the scan began; removed when it is done
manifest/part-00000.parquet      the names, a row group a shard, 256 to a file
results/shard-00000000.parquet   the answers; written beside, synced and then renamed
summary.json                     the figures, once all is done
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reclaim.scan.counts import Counts
from reclaim.scan.disk import private, sync_folder, to_disk
from reclaim.scan.errors import FolderInUse, OtherScan, ScanError
from reclaim.scan.schema import RESULTS, UNITS

SHARDS_A_PART = 256
_COUNTS = b"reclaim.counts"
_SHARD = re.compile(r"shard-(\d{8,})\.parquet")
_OURS = {"scan.json", "lock", "index", "manifest", "manifest.new", "results", "summary.json"}
_NO_ROOM = "The output folder cannot be written: see that it is yours and that the disk has room, then run this again."
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR}


class Ledger:
    """One output folder, locked until it is closed."""

    def __init__(self, folder: Path) -> None:
        """Raises ``FolderInUse``, ``OtherScan`` for a folder that holds something else, ``ScanError``."""
        self.folder = folder
        self.index = folder / "index"
        self._manifest = folder / "manifest"
        self._results = folder / "results"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if {entry.name for entry in folder.iterdir() if not entry.name.startswith(".")} - _OURS:
                raise OtherScan("The output folder holds other files: name an empty one, or one that is not there yet.")
            folder.chmod(0o700)
            self._lock = _locked(folder / "lock")
        except OSError:
            raise ScanError(_NO_ROOM) from None

    def close(self) -> None:
        """Let others in."""
        os.close(self._lock)

    @property
    def plan(self) -> dict[str, Any] | None:
        """What ``begin`` was given; ``None`` if no scan has begun here. Raises ``OtherScan`` if it cannot be read."""
        try:
            plan = json.loads((self.folder / "scan.json").read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise OtherScan("The output folder's scan.json is damaged: name another folder, or add --again.") from None
        if not isinstance(plan, dict):
            raise OtherScan("The output folder's scan.json is damaged: name another folder, or add --again.")
        return plan

    def clear(self) -> None:
        """Forget the scan here and all its results."""
        (self.folder / "scan.json").unlink(missing_ok=True)
        sync_folder(self.folder)
        for name in ("index", "manifest", "manifest.new", "results"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / "summary.json").unlink(missing_ok=True)

    def write_manifest(self, listed: Iterator[pa.RecordBatch], shard_rows: int) -> tuple[int, int]:
        """Put down all units, a shard when it has so many rows; how many shards and rows there are."""
        fresh = self.folder / "manifest.new"
        fresh.mkdir(mode=0o700)
        shards = rows = 0
        cut = _cut(listed, shard_rows)
        for part in itertools.count():
            shard = next(cut, None)
            if shard is None:
                break
            with private(fresh / f"part-{part:05}.parquet") as file:
                with pq.ParquetWriter(file, UNITS, compression="zstd") as writer:
                    for table in itertools.chain([shard], itertools.islice(cut, SHARDS_A_PART - 1)):
                        writer.write_table(table, row_group_size=len(table))
                        shards += 1
                        rows += pc.sum(table["rows"]).as_py()
                to_disk(file)
        sync_folder(fresh)
        fresh.rename(self._manifest)
        self._results.mkdir(mode=0o700)
        return shards, rows

    def begin(self, plan: dict[str, Any]) -> None:
        """Say what this scan is; from now on it can be resumed."""
        self._write_json("scan.json", plan)

    def finish(self, summary: dict[str, Any]) -> None:
        """Put down the figures."""
        self._write_json("summary.json", summary)

    def done(self) -> tuple[set[int], Counts]:
        """The shards that are done, and what is in all of them.

        The remains of interrupted writes are removed. A shard that cannot be read is not done; what is none is left
        alone.
        """
        found, counts = set(), Counts()
        for path in self._results.iterdir():
            if path.name.startswith(".shard-"):
                path.unlink()
            elif (named := _SHARD.fullmatch(path.name)) and (held := _counts_of(path)) is not None:
                found.add(int(named[1]))
                counts.add(held)
        return found, counts

    def units(self, shards: list[int]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The units of each of these shards, which ascend. Raises ``OtherScan`` where they cannot be read."""
        opened, manifest = -1, None
        for shard in shards:
            part, group = divmod(shard, SHARDS_A_PART)
            try:
                if part != opened or manifest is None:
                    opened, manifest = part, pq.ParquetFile(self._manifest / f"part-{part:05}.parquet")
                [batch] = manifest.read_row_group(group, use_threads=False).combine_chunks().to_batches()
            except (OSError, pa.ArrowException):
                raise OtherScan(
                    "The output folder's manifest is damaged: name another folder, or add --again to begin anew."
                ) from None
            yield shard, batch.cast(UNITS)

    def write(self, shard: int, rows: list[pa.RecordBatch]) -> Counts:
        """A shard's result, on disk whole or not at all; only then is it done. Raises ``ScanError``."""
        table = pa.Table.from_batches(rows, RESULTS)
        counts = Counts.of(table)
        target = self._results / f"shard-{shard:08}.parquet"
        beside = self._results / f".{target.name}"
        try:
            with private(beside) as file:
                pq.write_table(table.replace_schema_metadata({_COUNTS: counts.to_json()}), file, compression="zstd")
                to_disk(file)
            beside.rename(target)
            sync_folder(self._results)
        except OSError:
            raise ScanError(_NO_ROOM) from None
        return counts

    def _write_json(self, name: str, value: dict[str, Any]) -> None:
        sync_folder(self.folder)
        beside = self.folder / f".{name}"
        with private(beside) as file:
            file.write(json.dumps(value, indent=1).encode())
            to_disk(file)
        beside.rename(self.folder / name)
        sync_folder(self.folder)


def refused(error: OSError) -> ScanError:
    """What to say where the system refused something; the error's own text would name a file."""
    if error.errno in _UNWRITABLE or error.errno is None:
        return ScanError(_NO_ROOM)
    why = os.strerror(error.errno)
    return ScanError(f"The system refused what the scan needs ({why}): mend that, and run the same command to go on.")


def _counts_of(path: Path) -> Counts | None:
    """What a shard says that it holds; None where it cannot be read to its end."""
    try:
        return Counts.from_json(pq.read_schema(path).metadata[_COUNTS])
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        return None


def _locked(path: Path) -> int:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise FolderInUse("Another scan writes into this folder: wait for it, or name another folder.") from None
    return lock


def _cut(listed: Iterator[pa.RecordBatch], shard_rows: int) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in listed:
        first = 0
        for place, count in enumerate(batch.column("rows").to_pylist(), 1):
            rows += count
            if rows >= shard_rows:
                yield pa.Table.from_batches([*held, batch.slice(first, place - first)])
                held, rows, first = [], 0, place
        if first < batch.num_rows:
            held.append(batch.slice(first))
    if held:
        yield pa.Table.from_batches(held)
