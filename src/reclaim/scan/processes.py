"""Processes that touch what strangers made: limited in memory, and never trusted to be alive or honest."""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pyarrow as pa

from reclaim.scan.errors import STOPS, ScanStopped, WorkerStop
from reclaim.scan.pipes import receive
from reclaim.scan.schema import DATA, UNITS, from_bytes, to_bytes
from reclaim.scan.sources.base import Source, Unit, units_batch
from reclaim.signals.crew import MEMORY_PER_PROCESS

READY, BEGINS, RESULT, STOP, END = b"o", b"b", b"r", b"s", b"e"
"""The first byte of what a process says: it has opened everything, it begins a file, an answer, a code, the end."""

_LISTED = 4096
STREAMED = pa.schema([DATA, UNITS.field("fault")])


def start(target: Callable[..., None], *arguments: Any) -> tuple[BaseProcess, Connection]:
    """A process that runs ``target(pipe, *arguments)``, and our end of the pipe."""
    # Never a plain fork: another process's pipe inherited by this one would hide that process's death.
    context: Any
    if "forkserver" in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["reclaim.scan.worker"])
    else:
        context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_bound, args=(target, theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _bound(target: Callable[..., None], pipe: Connection, *arguments: Any) -> None:
    """Run the target for as long as the one who wants it lives; a process that hangs would never see its pipe close."""
    wants = multiprocessing.parent_process()
    if wants is not None and sys.platform == "linux":
        # The parent is the fork server, which lives on as long as any of us. But the other end of the sentinel is held
        # by the one who wants this process and by nobody else: SIGIO says that it closed, and its default is to end us.
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(wants.sentinel, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(wants.sentinel, fcntl.F_GETFL)
        fcntl.fcntl(wants.sentinel, fcntl.F_SETFL, flags | os.O_ASYNC)
    if wants is None or not wants.is_alive():  # it may have died before that
        os._exit(1)
    target(pipe, *arguments)


def end(process: BaseProcess, pipe: Connection) -> None:
    """Stop a process, whatever it is doing."""
    pipe.close()
    process.kill()
    process.join()
    process.close()


def restrict() -> None:
    """Bound this process's memory, beyond what it has mapped so far: an index may be larger than any picture."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pa.set_cpu_count(1)
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        import resource

        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError):
        return
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY_PER_PROCESS, hard))
        # A core file would hold the picture.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def stopped(code: str) -> ScanStopped:
    """What to raise where a process sent a code; its own text is never shown."""
    return ScanStopped(STOPS.get(code, STOPS["worker"]))


def listed(source: Source) -> Iterator[pa.RecordBatch]:
    """The source's units in batches, listed in a process of its own. Raises ``ScanStopped``."""
    return _fed(_list, source)


def streamed(source: Source, wanted: list[tuple[int, int]]) -> Iterator[pa.RecordBatch]:
    """What ``Source.stream`` gives, as batches of ``STREAMED``; ends early where it does. Raises ``ScanStopped``."""
    return _fed(_stream, source, wanted)


def _fed(target: Callable[..., None], *arguments: Any) -> Iterator[pa.RecordBatch]:
    """The batches that a process sends. Raises ``ScanStopped``, also where it dies before it says that this was all."""
    process, pipe = start(target, *arguments)
    try:
        while True:
            pipe.poll(None)  # an archive may be searched for hours: its reader's end, not its silence, is what counts
            try:
                message = receive(pipe)
                kind, rest = message[:1], message[1:]
                if kind == END:
                    return
                if kind == STOP:
                    raise stopped(rest.decode(errors="replace"))
                batch = from_bytes(rest)
            except (EOFError, OSError, ValueError):
                raise stopped("worker") from None
            yield batch
    finally:
        end(process, pipe)


@contextlib.contextmanager
def _to_its_end(pipe: Connection) -> Iterator[None]:
    """Limits this process, and says at the end of the block that it has come there, or why the scan has to stop."""
    restrict()
    with contextlib.suppress(OSError):
        try:
            yield
            pipe.send_bytes(END)
        except WorkerStop as stop:
            pipe.send_bytes(STOP + str(stop).encode())
        except OSError:
            raise
        except Exception:  # a traceback would show names; the other end sees that the process has ended
            os._exit(1)


def _list(pipe: Connection, source: Source) -> None:
    def tell(units: list[Unit]) -> None:
        pipe.send_bytes(RESULT + to_bytes(units_batch(units)))

    held: list[Unit] = []
    with _to_its_end(pipe):
        for unit in source.units():
            held.append(unit)
            if len(held) == _LISTED:
                tell(held)
                held = []
        tell(held)


def _stream(pipe: Connection, source: Source, wanted: list[tuple[int, int]]) -> None:
    with _to_its_end(pipe):
        for held in source.stream(wanted):
            columns = [
                pa.array(column, field.type) for column, field in zip(zip(*held, strict=True), STREAMED, strict=True)
            ]
            pipe.send_bytes(RESULT + to_bytes(pa.RecordBatch.from_arrays(columns, schema=STREAMED)))
