"""The machines of a Ray cluster. Each task does one piece, with a limited process beside the Ray worker that runs it.

The driver alone writes the ledger. A task on a machine that dies is done anew on another; whatever both did, the driver
asked for one answer and gets one.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from reclaim.scan.crew import Answer, Crew, Piece
from reclaim.scan.errors import EngineMissing, ScanStopped
from reclaim.scan.schema import from_bytes, to_bytes
from reclaim.scan.worker import Spec
from reclaim.signals.many import SECONDS_PER_FILE

AHEAD = 2
"""Pieces handed out for each processor of the cluster."""

SECONDS_WITHOUT_MACHINES = 300.0
_POLL = 10.0
_LOST = "The Ray cluster is lost. When it is back, run the same command to go on from there."

_NO_CLUSTER = "No Ray cluster answers at this address: start one, or name it with --address."
_CONNECT_SECONDS = 5.0

_crew: tuple[Spec, Crew] | None = None


def answers(spec: Spec, pieces: Iterator[Piece], address: str, seconds: float = SECONDS_PER_FILE) -> Iterator[Answer]:
    """The answers to all pieces, as they come. Raises ``EngineMissing``, ``ScanStopped``."""
    # Names of files and machines are nobody else's business.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise EngineMissing("Ray is missing: pip install 'reclaim[ray]', on every machine of the cluster.") from None
    if not _listens(address):
        raise EngineMissing(_NO_CLUSTER)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError):
        raise EngineMissing(_NO_CLUSTER) from None
    try:
        yield from _answers(ray, spec, pieces, seconds)
    except (ray.exceptions.RayError, ConnectionError):
        raise ScanStopped(_LOST) from None
    finally:
        ray.shutdown()


def _listens(address: str) -> bool:
    """Whether anything answers at host:port, if the address is one: where nothing does, Ray ends the whole process."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        if parts.hostname is None or parts.port is None:
            return True
        with socket.create_connection((parts.hostname, parts.port), _CONNECT_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def _answers(ray: Any, spec: Spec, pieces: Iterator[Piece], seconds: float) -> Iterator[Answer]:
    task = ray.remote(num_cpus=1, max_retries=-1)(answer_piece)
    waiting: dict[Any, Piece] = {}
    without = 0.0
    while True:
        processors = int(ray.cluster_resources().get("CPU", 0))
        while len(waiting) < max(1, processors) * AHEAD and (piece := next(pieces, None)) is not None:
            waiting[task.remote(spec, to_bytes(piece.units), seconds)] = piece
        if not waiting:
            return
        ready, _ = ray.wait(list(waiting), timeout=_POLL)
        without = 0.0 if ready or processors else without + _POLL
        if without >= SECONDS_WITHOUT_MACHINES:
            raise ScanStopped(_LOST)
        for reference in ready:
            piece = waiting.pop(reference)
            found = ray.get(reference)
            if isinstance(found, str):
                raise ScanStopped(found)
            for start, units, rows in found:
                yield Answer(piece.shard, piece.start + start, units, from_bytes(rows))


def answer_piece(spec: Spec, units: bytes, seconds: float) -> list[tuple[int, int, bytes]] | str:
    """In a Ray worker: for parts of the piece, which unit is the first, how many there are, and their rows; or why the
    scan has to stop."""
    crew = _crew_for(spec, seconds)
    batch: pa.RecordBatch = from_bytes(units)
    size = spec.source.piece_units
    pieces = (Piece(0, first, batch.slice(first, size)) for first in range(0, batch.num_rows, size))
    try:
        return [(answer.start, answer.units, to_bytes(answer.rows)) for answer in crew.answers(pieces)]
    except ScanStopped as stop:
        _close_crew()
        return str(stop)
    except BaseException:  # its process is still busy with this piece, and the next task would hear its answer
        _close_crew()
        raise


def _crew_for(spec: Spec, seconds: float) -> Crew:
    """The process beside this one, kept from task to task."""
    global _crew
    if _crew is None or _crew[0] != spec:
        _close_crew()
        _crew = (spec, Crew(spec, 1, seconds))
    return _crew[1]


def _close_crew() -> None:
    global _crew
    if _crew is not None:
        _crew[1].close()
        _crew = None
