"""Signals of many files, in other processes, so that a file which kills its decoder costs one answer."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from reclaim.signals import errors
from reclaim.signals.errors import DecoderStopped, PictureTooLarge, SignalError
from reclaim.signals.values import Signal, parse_md5, parse_pdq

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

SECONDS_PER_FILE = 120.0
"""A file still being read after this is given up, and its process ended."""

MEMORY_PER_PROCESS = 4 * 2**30
"""Address space of one decoding process, in bytes, where the system can limit it."""

Work = Callable[[Path], Signal]


def signals_of(
    paths: Sequence[Path], work: Work, *, jobs: int | None = None, seconds: float = SECONDS_PER_FILE
) -> Iterator[Signal | SignalError]:
    """`work` on each path in up to `jobs` processes (by default one a processor); answers in order.

    `work` is a function a new process can import, such as `pdq_signal`. A file's error is its answer. For a
    process that dies or exceeds `seconds` the answer is DecoderStopped, and another takes its place.
    """
    count = min(jobs or usable_processors(), len(paths))
    crew = [_Worker(work) for _ in range(count)]
    waiting = iter(enumerate(paths))
    answers: dict[int, Signal | SignalError] = {}
    due = 0
    try:
        for worker in crew:
            worker.take(next(waiting, None), seconds)
        while due < len(paths):
            for worker in _ready(crew):
                answers[worker.index] = worker.answer()
                worker.take(next(waiting, None), seconds)
            while due in answers:
                yield answers.pop(due)
                due += 1
    finally:
        for worker in crew:
            worker.end()


def usable_processors() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ready(crew: list[_Worker]) -> list[_Worker]:
    """The busy workers that have answered, died or run out of time; waits for the first."""
    busy = [worker for worker in crew if worker.busy]
    patience = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
    heard = connection.wait([worker.pipe for worker in busy], patience)
    now = time.monotonic()
    return [worker for worker in busy if worker.pipe in heard or worker.deadline <= now]


class _Worker:
    """One process and the file it has in hand."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.busy = False
        self.index = -1
        self.deadline = 0.0
        self._start()

    def _start(self) -> None:
        # Never a plain fork: another worker's pipe inherited by this one would hide that worker's death.
        context: ForkServerContext | SpawnContext
        if "forkserver" in multiprocessing.get_all_start_methods():
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(["reclaim.signals"])
        else:
            context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, self.work), daemon=True)
        self.process.start()
        theirs.close()

    def take(self, task: tuple[int, Path] | None, seconds: float) -> None:
        """Begin the next file, if there is one. One that finds the process dead is answered by `answer`."""
        self.busy = task is not None
        if task is None:
            return
        self.index, path = task
        self.deadline = time.monotonic() + seconds
        with contextlib.suppress(OSError):
            self.pipe.send_bytes(os.fsencode(path))

    def answer(self) -> Signal | SignalError:
        """What became of the file in hand; a process that has no answer is ended and replaced."""
        with contextlib.suppress(EOFError, OSError, ValueError, TypeError, KeyError):
            if self.pipe.poll():
                return _unpack(self.pipe.recv_bytes(4096))
        self.end()
        self._start()
        return DecoderStopped()

    def end(self) -> None:
        """Stop the process, whatever it is doing."""
        self.pipe.close()
        self.process.kill()
        self.process.join()
        self.process.close()


def _serve(pipe: Connection, work: Work) -> None:
    """The life of one process: a path in, an answer out, until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_resources()
    with contextlib.suppress(EOFError, OSError):
        while True:
            path = Path(os.fsdecode(pipe.recv_bytes()))
            pipe.send_bytes(_pack(_attempt(work, path)))


def _attempt(work: Work, path: Path) -> Signal | SignalError:
    try:
        return work(path)
    except SignalError as error:
        return error
    except MemoryError:
        return PictureTooLarge()
    except Exception:  # one file's surprise must not take the others with it
        return SignalError()


def _limit_resources() -> None:
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_PER_PROCESS, hard))
        # A core file would hold the picture.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _pack(answer: Signal | SignalError) -> bytes:
    """JSON, not pickle: a decoder taken over by its file must not be able to run code in the parent."""
    if isinstance(answer, SignalError):
        return json.dumps({"error": type(answer).__name__}).encode()
    return json.dumps({"type": answer.type, "value": answer.value, "quality": answer.quality}).encode()


def _unpack(message: bytes) -> Signal | SignalError:
    """The answer; ValueError, TypeError or KeyError where it is not one."""
    fields = json.loads(message)
    if "error" in fields:
        kind = getattr(errors, str(fields["error"]), None)
        return kind() if isinstance(kind, type) and issubclass(kind, SignalError) else SignalError()
    if fields["type"] == "md5":
        return Signal("md5", parse_md5(fields["value"]))
    quality = int(fields["quality"])
    if fields["type"] != "pdq" or not 0 <= quality <= 100:
        raise ValueError
    return Signal("pdq", parse_pdq(fields["value"]), quality)
