"""Messages to and from processes that a file may have taken over: each is through in time, or the pipe is shut down."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

MOST_ANSWER = 2**29
"""Bytes of a message."""

MESSAGE_SECONDS = 60.0
"""A message that has begun must be through in so long: what was announced may never come, and nobody may read ours."""

_LOOK_SECONDS = 0.5


def send(pipe: Connection, message: bytes) -> None:
    """Send a message. Raises ``OSError`` where the other end has gone or does not take it in time."""
    with _watch.over(pipe):
        pipe.send_bytes(message)


def receive(pipe: Connection) -> bytes:
    """The next message, once it has begun. Raises ``EOFError``, ``OSError`` where it is too long or stops half-way."""
    with _watch.over(pipe):
        return pipe.recv_bytes(MOST_ANSWER)


class _Watch:
    """One thread that looks after all pipes in use; a thread for each message would cost more than the message."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[socket.socket, float] = {}
        self._started = False

    @contextmanager
    def over(self, pipe: Connection) -> Iterator[None]:
        """Shut the pipe down if what is done with it takes too long: whoever waits at it then sees its end."""
        with socket.socket(fileno=os.dup(pipe.fileno())) as line:
            with self._lock:
                self._used[line] = time.monotonic() + MESSAGE_SECONDS
                if not self._started:
                    self._started = True
                    threading.Thread(target=self._look, daemon=True).start()
            try:
                yield
            finally:
                with self._lock:
                    del self._used[line]

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            with self._lock:
                for line, deadline in self._used.items():
                    if deadline < time.monotonic():
                        with contextlib.suppress(OSError):
                            line.shutdown(socket.SHUT_RDWR)


_watch = _Watch()
