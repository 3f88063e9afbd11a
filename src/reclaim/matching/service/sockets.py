"""Readers who never read are let go by the system: the server itself has no limit for them."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

SLOW_READER_SECONDS = 20
"""A connection whose other end takes nothing of what was sent for so long is ended."""


def let_go_of_slow_readers() -> int:
    """Set that limit on this process's listening sockets, whose connections inherit it; on how many it was set.

    The server gives its sockets to nobody, so they are looked for among the open files. Only Linux has the limit.
    """
    count = 0
    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        return count
    for handle in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        with contextlib.suppress(OSError):
            if not stat.S_ISSOCK(os.fstat(handle).st_mode):
                continue
            with socket.socket(fileno=os.dup(handle)) as each:
                if each.family != socket.AF_UNIX and each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SLOW_READER_SECONDS * 1000)
                    count += 1
    return count
