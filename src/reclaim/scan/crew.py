"""Worker processes that share out the pieces of a scan. A file that kills or holds up its process costs one row."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Iterator
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import Literal, NamedTuple

import pyarrow as pa

from reclaim.scan.faults import FAULTS, sentence_of
from reclaim.scan.kernel import error_batch
from reclaim.scan.pipes import receive, send
from reclaim.scan.processes import BEGINS, READY, RESULT, STOP, end, start, stopped
from reclaim.scan.schema import RESULTS, STATUSES, from_bytes, to_bytes
from reclaim.scan.worker import Spec, serve
from reclaim.signals import DecoderStopped
from reclaim.signals.many import SECONDS_PER_FILE

LOOKUP_SECONDS = 600.0
"""For what is no reading of a file: to open the indexes, to look a piece up."""

MOST_FAILED_STARTS = 5
"""So many processes in a row that end before they are ready stop the scan."""


class Piece(NamedTuple):
    """Some units of a shard, to be done by one worker."""

    shard: int
    start: int
    """Which unit of the shard is the first."""
    units: pa.RecordBatch
    tries: int = 0


class Answer(NamedTuple):
    """The rows that these units of a shard have made."""

    shard: int
    start: int
    units: int
    rows: pa.RecordBatch


class Crew:
    """So many workers. For one thread; close it when done."""

    def __init__(self, spec: Spec, jobs: int, seconds: float = SECONDS_PER_FILE) -> None:
        """``seconds`` is what one file may take."""
        self._spec = spec
        self._seconds = seconds
        self._retries: deque[Piece] = deque()
        self._failed_starts = 0
        self._workers = [_Worker(spec, seconds) for _ in range(jobs)]

    def answers(self, pieces: Iterator[Piece]) -> Iterator[Answer]:
        """The answer to every piece, or to parts of it, as they come. Raises ``ScanStopped``."""
        while True:
            for worker in self._workers:
                if worker.state == "idle" and (piece := self._next(pieces)) is not None:
                    worker.take(piece)
            if not self._retries and all(worker.state != "busy" for worker in self._workers):
                if (piece := self._next(pieces)) is None:
                    return
                self._retries.append(piece)  # for the first worker that is ready
            yield from self._hear_all([worker for worker in self._workers if worker.state != "idle"])

    def _next(self, pieces: Iterator[Piece]) -> Piece | None:
        return self._retries.popleft() if self._retries else next(pieces, None)

    def _hear_all(self, workers: list[_Worker]) -> Iterator[Answer]:
        patience = max(0.0, min(worker.deadline for worker in workers) - time.monotonic())
        heard = connection.wait([worker.pipe for worker in workers], patience)
        now = time.monotonic()
        for worker in workers:
            if worker.pipe in heard:
                yield from self._understand(worker)
            elif worker.deadline <= now:
                yield from self._replace(worker, timed_out=True)

    def _understand(self, worker: _Worker) -> Iterator[Answer]:
        try:
            message = receive(worker.pipe)
            kind, rest = message[:1], message[1:]
            if kind == STOP:
                raise stopped(rest.decode(errors="replace"))
            if kind == READY and worker.state == "starting":
                self._failed_starts = 0
                worker.state = "idle"
            elif kind == BEGINS and worker.state == "busy":
                worker.begins(int.from_bytes(rest, "little"))
            elif kind == RESULT and worker.piece is not None:
                rows = self._checked(from_bytes(rest), worker.piece)
                piece = worker.piece
                worker.finished()
                yield Answer(piece.shard, piece.start, piece.units.num_rows, rows)
            else:
                raise ValueError
        except (EOFError, OSError, ValueError):
            yield from self._replace(worker, timed_out=False)

    def _checked(self, rows: pa.RecordBatch, piece: Piece) -> pa.RecordBatch:
        if rows.schema != RESULTS or (self._spec.source.rows_counted and rows.num_rows != piece.units.num_rows):
            raise ValueError
        if any(column.null_count for field, column in zip(RESULTS, rows.columns, strict=True) if not field.nullable):
            raise ValueError
        reasons = rows.column("reason").dictionary_encode()
        codes = reasons.dictionary.to_pylist()
        if not (set(codes) <= set(FAULTS) and set(rows.column("status").unique().to_pylist()) <= set(STATUSES)):
            raise ValueError
        sentences = pa.array([sentence_of(code) for code in codes], pa.string())
        texts = pa.DictionaryArray.from_arrays(reasons.indices, sentences).cast(pa.string())
        return rows.set_column(RESULTS.get_field_index("reason_text"), RESULTS.field("reason_text"), texts)

    def _replace(self, worker: _Worker, *, timed_out: bool) -> Iterator[Answer]:
        """Another process for one that died or took too long; its piece is done again without the file in hand."""
        if worker.state == "starting":
            self._failed_starts += 1
            if self._failed_starts >= MOST_FAILED_STARTS:
                raise stopped("worker")
        piece, at = worker.piece, worker.at
        worker.restart()
        if piece is None:
            return
        count = piece.units.num_rows
        alone = count == 1
        if alone and (timed_out or piece.tries):
            yield self._given_up(piece)
        elif alone:
            self._retries.append(piece._replace(tries=1))
        elif at >= count:
            self._again(piece, 0, count // 2)
            self._again(piece, count // 2, count)
        else:
            self._again(piece, 0, at)
            self._again(piece, at + 1, count)
            culprit = _part(piece, at, at + 1)
            if timed_out:
                yield self._given_up(culprit)
            else:  # once more alone: it may have been someone else who ended the process
                self._retries.append(culprit._replace(tries=1))

    def _again(self, piece: Piece, first: int, last: int) -> None:
        if first < last:
            self._retries.append(_part(piece, first, last))

    def _given_up(self, piece: Piece) -> Answer:
        [unit] = piece.units.select(["name", "size"]).to_pylist()
        rows = error_batch(unit["name"], unit["size"], DecoderStopped)
        return Answer(piece.shard, piece.start, 1, rows)

    def close(self) -> None:
        """Stop all workers, whatever they are doing."""
        for worker in self._workers:
            worker.end()


def _part(piece: Piece, first: int, last: int) -> Piece:
    return Piece(piece.shard, piece.start + first, piece.units.slice(first, last - first))


class _Worker:
    """One process and the piece it has in hand."""

    pipe: Connection

    def __init__(self, spec: Spec, seconds: float) -> None:
        self._spec = spec
        self._seconds = seconds
        self._start()

    def _start(self) -> None:
        self.process, self.pipe = start(serve, self._spec)
        self.state: Literal["starting", "idle", "busy"] = "starting"
        self.piece: Piece | None = None
        self._begun = -1
        self.deadline = time.monotonic() + LOOKUP_SECONDS

    @property
    def at(self) -> int:
        """The unit of its piece that it is at; past the last one, it looks all of them up."""
        return max(0, self._begun)

    def take(self, piece: Piece) -> None:
        """Begin a piece. A process that is found dead is heard of as one that died over it."""
        self.state, self.piece, self._begun = "busy", piece, -1
        self.deadline = time.monotonic() + LOOKUP_SECONDS
        with contextlib.suppress(OSError):
            send(self.pipe, to_bytes(piece.units))

    def begins(self, number: int) -> None:
        """It says that it is at this unit. Raises ``ValueError`` unless they come in order: each gives it more time."""
        count = self.piece.units.num_rows if self.piece is not None else 0
        if not self._begun < number <= count:
            raise ValueError
        self._begun = number
        self.deadline = time.monotonic() + (self._seconds if number < count else LOOKUP_SECONDS)

    def finished(self) -> None:
        """It has no longer a piece in hand."""
        self.piece, self.state = None, "idle"

    def restart(self) -> None:
        """Another process in its place."""
        self.end()
        self._start()

    def end(self) -> None:
        """Stop the process."""
        end(self.process, self.pipe)
