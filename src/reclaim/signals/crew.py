"""Processes that read hostile files: limited in memory, ended when they take too long, replaced when they die.

What a file makes of its process costs that file's answer and no more. Answers come back as JSON, not pickle: a decoder
that its file has taken over must not be able to run code in the process that asked, nor to keep it waiting.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import queue
import signal
import socket
import struct
import time
from collections.abc import Callable
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from reclaim.signals import errors
from reclaim.signals.errors import DecoderStopped, PictureTooLarge, SignalError

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

MEMORY_PER_PROCESS = 4 * 2**30
"""Address space of one decoding process, in bytes, where the system can limit it."""

LONGEST_ANSWER = 4096
"""Bytes of an answer, unless a crew is told another limit."""
_ANSWER_SECONDS = 5.0
"""An answer that has begun to come is here whole by then: an honest one comes at once, and has at most some MB."""

_MOST_VALUES = 1_000_000
# An hour of frames in all their views has a third of that.
_AT_ONCE = 2**20
_LENGTH = struct.Struct("!Q")
"""Goes before each message, in bytes."""

Fields = dict[str, Any]
Work = Callable[[bytes], Fields]
"""A task in, an answer out that JSON can hold; a function a new process can import. It may raise SignalError."""

Answer = TypeVar("Answer")


class Decoder(Generic[Answer]):
    """One process and the task it has in hand. For one thread."""

    def __init__(
        self,
        work: Work,
        read: Callable[[Fields], Answer],
        *,
        niceness: int = 0,
        longest_answer: int = LONGEST_ANSWER,
    ) -> None:
        """`read` makes an answer of the fields here, and raises ValueError, TypeError or KeyError where it is none."""
        self._work = work
        self._read = read
        self._longest_answer = longest_answer
        self._niceness = niceness
        self._running = False
        self.busy = False
        self.deadline = 0.0
        self._start()

    def _start(self) -> None:
        # Never a plain fork: another process's pipe inherited by this one would hide that process's death.
        context: ForkServerContext | SpawnContext
        if "forkserver" in multiprocessing.get_all_start_methods():
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(["reclaim.signals"])
        else:
            context = multiprocessing.get_context("spawn")
        self.line, theirs = socket.socketpair()
        self.process = context.Process(target=_serve, args=(theirs, self._work, self._niceness), daemon=True)
        self.process.start()
        theirs.close()
        self._running = True

    def begin(self, task: bytes, seconds: float) -> None:
        """Hand over a task. One that finds the process dead, or no longer listening, is answered by `answer`.

        Raises OSError where a process that was ended cannot be replaced; the next call tries again.
        """
        if not self._running:
            self._start()
        self.busy = True
        self.deadline = time.monotonic() + seconds
        with contextlib.suppress(OSError):
            self.line.settimeout(max(0.0, seconds))
            self.line.sendall(_LENGTH.pack(len(task)))
            self.line.settimeout(max(0.0, self.deadline - time.monotonic()))
            self.line.sendall(task)

    def answer(self) -> Answer | SignalError:
        """What became of the task in hand; a process that has no answer, or none that can be used, is ended."""
        self.busy = False
        # Whatever is wrong with the answer, a hostile file may have written it: it must not pass for an error of ours.
        with contextlib.suppress(Exception):
            if connection.wait([self.line], 0):
                return self._unpack(self._receive())
        self.end()
        return DecoderStopped()

    def _receive(self) -> bytes:
        """The message that has begun to come. Raises OSError or ValueError where it does not come whole and in time."""
        until = time.monotonic() + _ANSWER_SECONDS
        (length,) = _LENGTH.unpack(self._read_exactly(_LENGTH.size, until))
        if length > self._longest_answer:
            raise ValueError
        return self._read_exactly(length, until)

    def _read_exactly(self, count: int, until: float) -> bytes:
        message = bytearray()
        while len(message) < count:
            self.line.settimeout(max(0.0, until - time.monotonic()))
            if not (part := self.line.recv(min(_AT_ONCE, count - len(message)))):
                raise ConnectionError
            message += part
        return bytes(message)

    def end(self) -> None:
        """Stop the process, whatever it is doing; the next task has another."""
        if not self._running:
            return
        self._running = False
        self.line.close()
        self.process.kill()
        self.process.join()
        self.process.close()

    def _unpack(self, message: bytes) -> Answer | SignalError:
        # What is short as text may be a thousand times as long in memory.
        if sum(message.count(sign) for sign in (b",", b"[", b"{")) > _MOST_VALUES:
            raise ValueError
        fields = json.loads(message)
        if "error" in fields:
            kind = getattr(errors, str(fields["error"]), None)
            return kind() if isinstance(kind, type) and issubclass(kind, SignalError) else SignalError()
        return self._read(fields)


class CrewBusy(Exception):
    """No process of the crew became free in the time that the caller would wait."""


class Crew(Generic[Answer]):
    """Some decoders that threads share: each call of `ask` takes one, and waits while all are taken."""

    def __init__(
        self,
        work: Work,
        read: Callable[[Fields], Answer],
        *,
        count: int,
        niceness: int = 0,
        longest_answer: int = LONGEST_ANSWER,
    ) -> None:
        """`work` and `read` as for `Decoder`; `niceness` lets the processes stand back behind others."""
        self._all = [Decoder(work, read, niceness=niceness, longest_answer=longest_answer) for _ in range(count)]
        self._idle: queue.SimpleQueue[Decoder[Answer]] = queue.SimpleQueue()
        for decoder in self._all:
            self._idle.put(decoder)

    def ask(
        self,
        task: bytes,
        seconds: float,
        meanwhile: Callable[[], object] | None = None,
        patience: float | None = None,
    ) -> Answer | SignalError:
        """The answer to one task; DecoderStopped if its process dies or takes longer than `seconds`.

        `meanwhile` is called here while the process works. Raises OSError where no process can be started, CrewBusy
        where none is free within `patience` seconds; without it the call waits as long as it takes.
        """
        try:
            decoder = self._idle.get(timeout=patience)
        except queue.Empty:
            raise CrewBusy from None
        try:
            decoder.begin(task, seconds)
            try:
                if meanwhile is not None:
                    meanwhile()
            finally:
                wait_for([decoder])
                answer = decoder.answer()
            return answer
        finally:
            self._idle.put(decoder)

    def end(self) -> None:
        """Stop all processes; for when no thread asks any more."""
        for decoder in self._all:
            decoder.end()


def wait_for(busy: list[Decoder[Answer]]) -> list[Decoder[Answer]]:
    """Those of the busy ones that have answered, died or run out of time; waits for the first."""
    patience = max(0.0, min(decoder.deadline for decoder in busy) - time.monotonic())
    heard = connection.wait([decoder.line for decoder in busy], patience)
    now = time.monotonic()
    return [decoder for decoder in busy if decoder.line in heard or decoder.deadline <= now]


def usable_processors() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _serve(line: socket.socket, work: Work, niceness: int) -> None:
    """The life of one process: a task in, an answer out, until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_resources()
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    with contextlib.suppress(OSError), line.makefile("rb") as tasks:
        while len(head := tasks.read(_LENGTH.size)) == _LENGTH.size:
            (length,) = _LENGTH.unpack(head)
            if len(task := tasks.read(length)) < length:
                return
            answer = json.dumps(_attempt(work, task)).encode()
            # Dropped before the next one comes: two pictures need not fit in memory at once.
            del task
            line.sendall(_LENGTH.pack(len(answer)) + answer)


def _attempt(work: Work, task: bytes) -> Fields:
    try:
        return work(task)
    except SignalError as error:
        return {"error": type(error).__name__}
    except MemoryError:
        return {"error": PictureTooLarge.__name__}
    except Exception:  # one file's surprise must not take the others with it
        return {"error": SignalError.__name__}


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
