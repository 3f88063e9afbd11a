"""Addresses to serve at."""

from __future__ import annotations

import socket


class AddressTakenError(Exception):
    """Nothing can be served at this address; the message says what to do."""


def free_port() -> int:
    """A TCP port that is free on 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def check_address(host: str, port: int) -> None:
    """Raise ``AddressTakenError`` unless a server can be bound there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise AddressTakenError(
                f"Port {port} of {host} cannot be used ({error.strerror}). Stop what runs there, or take another port."
            ) from error
