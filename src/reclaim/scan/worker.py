"""The life of one worker process: open the indexes, then pieces in, results out, until the other end closes."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from reclaim.scan.errors import IndexNotUsable, WorkerStop
from reclaim.scan.indexes import Indexes, identity_of, open_indexes
from reclaim.scan.kernel import ScanOptions, scan_batch
from reclaim.scan.processes import BEGINS, READY, RESULT, STOP, restrict
from reclaim.scan.schema import from_bytes, to_bytes
from reclaim.scan.sources.base import Source


@dataclass(frozen=True)
class Spec:
    """All a worker needs to know, on whatever machine it runs."""

    source: Source
    index: Path
    identity: dict[str, str]
    """Of the index, as ``identity_of`` gives it: a worker that finds another one refuses to work."""
    turns: int
    radius: int


def serve(pipe: Connection, spec: Spec) -> None:
    """Work until the pipe closes. What kills this process, or never ends, is the business of whoever started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal
    with contextlib.suppress(EOFError, OSError):
        try:
            indexes = _indexes(spec)
            restrict()
            pipe.send_bytes(READY)
            _work(pipe, spec, indexes)
        except WorkerStop as stop:
            pipe.send_bytes(STOP + str(stop).encode())
        except (EOFError, OSError):
            raise
        except BaseException:  # a traceback would show names; the one who waits sees that the process has ended
            os._exit(1)


def _indexes(spec: Spec) -> Indexes:
    try:
        if identity_of(spec.index) != spec.identity:
            raise WorkerStop("index")
        return open_indexes(spec.index)
    except IndexNotUsable:
        raise WorkerStop("index") from None


def _work(pipe: Connection, spec: Spec, indexes: Indexes) -> None:
    def begins(number: int) -> None:
        pipe.send_bytes(BEGINS + number.to_bytes(4, "little"))

    options = ScanOptions(spec.turns, spec.radius, spec.source)
    while True:
        batch = spec.source.prepare(from_bytes(pipe.recv_bytes()))
        pipe.send_bytes(RESULT + to_bytes(scan_batch(batch, indexes, options, begins=begins)))
