"""Fetching a file that somebody else named: only from the hosts that were agreed, within bounds of size and time.

A webhook's word must not make us ask our own network, so each name is resolved once, every address it has must be a
public one, and the connection goes to the very address that was looked at.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from reclaim.adapters.config import MOST_BYTES
from reclaim.adapters.errors import Gone, MediaNotNow, Unreadable

SECONDS = 60.0
"""A file has to be here by then."""
_SILENCE = 10.0
_PIECE = 64 * 2**10
_MOST_ADDRESSES = 3
_PORTS = {"https": 443, "http": 80}
# Addresses that lead to another one, which may be of our own network.
_WRAPPED = tuple(ipaddress.ip_network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "::/96"))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if any(ip in network for network in _WRAPPED):
            return False
    return ip.is_global and not ip.is_multicast


class Fetcher:
    """Fetches from some hosts, each written ``host`` or ``host:port``."""

    def __init__(self, hosts: Sequence[str], *, private: bool = False, seconds: float = SECONDS) -> None:
        """With ``private`` the hosts may have private addresses, and be asked without TLS."""
        self._hosts = frozenset(host.lower() for host in hosts)
        self._private = private
        self._seconds = seconds

    def fetch(self, url: str, most: int = MOST_BYTES) -> bytes:
        """The file. Raises ``Gone``, ``MediaNotNow`` and ``Unreadable``."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            raise Unreadable("a file has no address that can be read") from None
        usual = _PORTS.get(parts.scheme)
        named = host if port in (None, usual) else f"{host}:{port}"
        if usual is None or parts.username is not None or named not in self._hosts:
            raise Unreadable("a file lies on a host that media_hosts does not name")
        if parts.scheme == "http" and not self._private:
            raise Unreadable("a file is offered without https")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return self._get(parts.scheme, host, port or usual, path, most)

    def _get(self, scheme: str, host: str, port: int, path: str, most: int) -> bytes:
        end = time.monotonic() + self._seconds
        for address in self._resolved(host, port)[:_MOST_ADDRESSES]:
            try:
                return self._get_from(address, scheme, host, port, path, most, end)
            except (NewConnectionError, ConnectTimeoutError):
                continue
            except (HTTPError, OSError):
                break
        raise MediaNotNow("a file's host cannot be reached")

    def _get_from(self, address: str, scheme: str, host: str, port: int, path: str, most: int, end: float) -> bytes:
        timeout = Timeout(connect=_SILENCE, read=_SILENCE)
        if scheme == "https":
            pool: HTTPConnectionPool = HTTPSConnectionPool(
                address, port, timeout=timeout, assert_hostname=host, server_hostname=host, cert_reqs="CERT_REQUIRED"
            )
        else:
            pool = HTTPConnectionPool(address, port, timeout=timeout)
        shown = host if port == _PORTS[scheme] else f"{host}:{port}"
        headers = {"Host": shown, "Accept-Encoding": "identity", "User-Agent": "reclaim-adapter"}
        with pool:
            response = pool.request("GET", path, headers=headers, retries=False, redirect=False, preload_content=False)
            try:
                if response.status == 200:
                    return _read(response, most, end)
            finally:
                # Not given back but closed: of what was not read there may be no end.
                response.close()
        if response.status in (403, 404, 410):
            raise Gone
        if 300 <= response.status < 400:
            raise Unreadable("a file's host leads elsewhere")
        raise MediaNotNow("a file's host cannot answer now")

    def _resolved(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise MediaNotNow("a file's host has no address") from None
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if not self._private and not all(is_public(each) for each in addresses):
            raise Unreadable("a file's host has an address inside a network")
        return addresses


def _read(response: BaseHTTPResponse, most: int, end: float) -> bytes:
    data = bytearray()
    # What has come, not a whole piece: who sends one byte at a time must meet the deadline too.
    while piece := response.read1(_PIECE, decode_content=False):
        data += piece
        if len(data) > most:
            raise Unreadable("a file is too large")
        if time.monotonic() > end:
            raise MediaNotNow("a file came too slowly")
    return bytes(data)
