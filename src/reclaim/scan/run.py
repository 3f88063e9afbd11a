"""One scan from beginning to end, or from where it was interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from reclaim.matching.state import PDQ_INDEX
from reclaim.scan.counts import Counts
from reclaim.scan.crew import Answer, Piece
from reclaim.scan.engines import local, ray
from reclaim.scan.errors import NothingToResume, OtherScan
from reclaim.scan.indexes import identity_of, keep, release
from reclaim.scan.ledger import Ledger, refused
from reclaim.scan.pieces import pieces_of
from reclaim.scan.processes import listed
from reclaim.scan.sources import PathSource, Source, open_source
from reclaim.scan.sources.folder import FolderSource
from reclaim.scan.worker import Spec
from reclaim.signals import MATCH_DISTANCE
from reclaim.signals.crew import usable_processors
from reclaim.signals.many import SECONDS_PER_FILE

FORMAT = 1
RAY_PIECES = 2
"""A Ray task does so many times what a local worker gets at once."""

INDEX_SECONDS = 7 * 24 * 3600
"""An interrupted scan's index is not looked in after so long: it knows signals that were withdrawn since."""

Progress = Callable[[Counts, int], object]
"""Called with what is done so far, in all runs, and with how many files there are."""


@dataclass(frozen=True)
class Request:
    """What to scan, against what, where to, and how."""

    source: str
    index: Path | None
    """The snapshot; may be left out to resume."""
    out: Path
    engine: Literal["local", "ray"] = "local"
    jobs: int | None = None
    address: str = "auto"
    turns: int = 8
    radius: int = MATCH_DISTANCE
    signals: bool = False
    endpoint: str | None = None
    shard_rows: int | None = None
    again: bool = False
    seconds_per_file: float = SECONDS_PER_FILE


@dataclass(frozen=True)
class Summary:
    """What a scan came to."""

    counts: Counts
    """Of all files."""
    run_files: int
    """Done by this run; others were done before."""
    seconds: float
    """That this run took, listing included."""

    @property
    def rate(self) -> float:
        """Files a second of this run."""
        return self.run_files / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """The figures by name."""
        return {
            "files": self.counts.files,
            **{status: self.counts.statuses[status] for status in ("clear", "match", "poor", "error")},
            "reasons": dict(sorted(self.counts.reasons.items())),
            "files_this_run": self.run_files,
            "seconds": round(self.seconds, 3),
            "files_per_second": round(self.rate, 1),
        }


def scan(request: Request, progress: Progress = lambda _counts, _total: None) -> Summary:
    """Scan, or go on with a scan. Raises ``ScanError``; what is done until then stays done."""
    began = time.monotonic()
    source = open_source(request.source, signals=request.signals, endpoint=request.endpoint)
    if isinstance(source, PathSource):
        out = request.out.resolve()
        if source.path.is_relative_to(out):
            raise OtherScan("The source lies in the output folder, which holds one scan alone: name another folder.")
        if isinstance(source, FolderSource) and out.is_relative_to(source.path):
            raise OtherScan("The output folder lies in the source and would be scanned itself: name one elsewhere.")
    ledger = Ledger(request.out)
    try:
        plan = _begun(request, source, ledger)
        counts, run_files = _run(request, source, ledger, plan, progress)
        summary = Summary(counts, run_files, time.monotonic() - began)
        ledger.finish(summary.as_json())
        release(ledger.index)
        return summary
    except OSError as error:
        raise refused(error) from None
    finally:
        ledger.close()


def _begun(request: Request, source: Source, ledger: Ledger) -> dict[str, Any]:
    """The plan of the scan that is there, if it is this one, or of a new one."""
    shard_rows = request.shard_rows or source.shard_rows
    asked: dict[str, Any] = {
        "format": FORMAT,
        "source": source.identity(),
        "turns": request.turns,
        "radius": request.radius,
        "shard_rows": shard_rows,
    }
    plan = None if request.again else ledger.plan
    if plan is not None:
        _insist(plan, asked, request.index)
        return plan
    if request.index is None:
        raise NothingToResume("There is no scan in the output folder to go on with: name a snapshot with --index.")
    identity_of(request.index)
    ledger.clear()
    try:
        identity = keep(request.index, ledger.index)
        kept_at = int(time.time())
        shards, rows = ledger.write_manifest(listed(source), shard_rows)
        plan = {**asked, "index": identity, "kept_at": kept_at, "shards": shards, "rows": rows}
        ledger.begin(plan)
    except BaseException:
        release(ledger.index)  # without a plan nobody could go on with it
        raise
    return plan


def _insist(plan: dict[str, Any], asked: dict[str, Any], index: Path | None) -> None:
    for name, what in (
        ("format", "was begun by another version of this software"),
        ("source", "is of another source, or the source has changed since"),
        ("turns", "has other --turns"),
        ("radius", "has another --radius"),
        ("shard_rows", "has another --shard-size"),
    ):
        if plan.get(name) != asked[name]:
            raise OtherScan(f"The scan in the output folder {what}: name another folder, or add --again to discard it.")
    if index is not None and identity_of(index) != plan.get("index"):
        raise OtherScan(
            "The scan in the output folder looks in another index: leave --index out to go on with the one it began "
            "with, name another folder, or add --again to discard it."
        )


def _run(
    request: Request, source: Source, ledger: Ledger, plan: dict[str, Any], progress: Progress
) -> tuple[Counts, int]:
    """Do what is not done; what is in all shards, and how many files of it this run did."""
    done, counts = ledger.done()
    before = counts.files
    missing = [shard for shard in range(plan["shards"]) if shard not in done]
    if missing and time.time() - plan.get("kept_at", 0) > INDEX_SECONDS:
        release(ledger.index)
        raise OtherScan(
            "The scan in the output folder was begun more than seven days ago, and signals may have been withdrawn "
            "since: add --again and --index to begin anew, or name another folder."
        )
    progress(counts, plan["rows"])
    if missing:
        spec = Spec(source, (ledger.index / PDQ_INDEX).resolve(), plan["index"], request.turns, request.radius)
        collector = _Collector(ledger, missing)
        pieces = collector.pieces(source, source.piece_units * (RAY_PIECES if request.engine == "ray" else 1))
        for answer in _answers(request, spec, pieces):
            counts.add(Counts.of(answer.rows))
            progress(counts, plan["rows"])
            collector.take(answer)
    return counts, counts.files - before


def _answers(request: Request, spec: Spec, pieces: Iterator[Piece]) -> Iterator[Answer]:
    if request.engine == "ray":
        return ray.answers(spec, pieces, request.address, request.seconds_per_file)
    return local.answers(spec, pieces, request.jobs or usable_processors(), request.seconds_per_file)


class _Collector:
    """Puts the answers of a shard together, in the order of its units, and writes it when none is missing."""

    def __init__(self, ledger: Ledger, missing: list[int]) -> None:
        self._ledger = ledger
        self._missing = missing
        self._open: dict[int, int] = {}
        self._rows: dict[int, dict[int, pa.RecordBatch]] = {}

    def pieces(self, source: Source, size: int) -> Iterator[Piece]:
        """All pieces there are to do."""

        def opened() -> Iterator[tuple[int, pa.RecordBatch]]:
            for shard, units in self._ledger.units(self._missing):
                self._open[shard] = units.num_rows
                yield shard, units

        return pieces_of(source, opened(), self._ledger.units(self._missing), size)

    def take(self, answer: Answer) -> None:
        """Put an answer in its place."""
        rows = self._rows.setdefault(answer.shard, {})
        if answer.start in rows:
            raise RuntimeError("A piece was answered twice.")
        rows[answer.start] = answer.rows
        self._open[answer.shard] -= answer.units
        if self._open[answer.shard] == 0:
            del self._open[answer.shard]
            del self._rows[answer.shard]
            self._ledger.write(answer.shard, [rows[start] for start in sorted(rows)])
