"""A sandbox's process asks nobody outside this machine, whatever Python code runs in it."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

_NAMES = frozenset({"localhost", "", "0.0.0.0", "::"})  # noqa: S104 where a server listens, not whom it asks


class NothingLeavesError(OSError):
    """Something in a sandbox wanted to reach a machine other than this one."""


def insist_on_this_machine(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook (PEP 578): it sees what Python code asks, and neither a database's own client nor another program.

    Raises ``NothingLeavesError`` for an address or a name elsewhere.
    """
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        asked, address = arguments[0], arguments[1]
        # A message on a connection names nobody: connecting did.
        if address is None or asked.family not in (socket.AF_INET, socket.AF_INET6):
            return
        host = address[0] if isinstance(address, tuple) else ""
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    else:
        return
    if not _is_this_machine(host):
        raise NothingLeavesError("This is a sandbox: nothing is asked of another machine.")


def _is_this_machine(host: object) -> bool:
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if text is None or text in _NAMES:
        return True
    try:
        return ipaddress.ip_address(str(text).split("%", 1)[0]).is_loopback
    except ValueError:
        return False


def close_sockets() -> None:
    """Have it hold for the rest of this process; it cannot be undone."""
    sys.addaudithook(insist_on_this_machine)
