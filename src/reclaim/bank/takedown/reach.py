"""Asking servers that somebody named to us: public addresses alone, and bounds on all that comes back.

Whoever types a link chooses whom the bank asks, and whoever answers chooses what it reads. So the bank resolves the
name itself, refuses unless every address of it is on the public internet, and connects to the very address that it has
looked at; at each redirect it does so anew. Time, headers, body and unpacking are bounded; no disk is written to.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from reclaim.bank.takedown.links import PORTS, NotALinkError, read_link

SECONDS = 20.0
"""For one address, redirects and all."""
SILENCE = 10.0
"""Seconds without a byte."""
MOST_HEADERS = 64 * 1024
MOST_BODY = 256 * 1024
MOST_REDIRECTS = 5
MOST_ADDRESSES = 2
"""Of one name, tried one after the other."""

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]

# What ``is_global`` of the standard library does not refuse, or did not in all versions.
_CLOSED = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        # Of a large cloud, where its machines ask who they are.
        "168.63.129.16/32",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
        # Addresses of version 4 within version 6, by which whoever translates reaches its own network.
        "2001::/23",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
]
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")


class ForbiddenError(Exception):
    """Not on the public internet, not a port of a web site, or not an address at all."""


class NoAnswerError(Exception):
    """There is no answer, or none within the bounds."""


def is_public(address: IPAddress) -> bool:
    """Whether an address is one that anybody on the internet can reach."""
    if address.version == 6 and (address not in _GLOBAL_V6 or getattr(address, "scope_id", None)):
        return False
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return not any(address.version == network.version and address in network for network in _CLOSED)


def resolve_name(name: str, port: int) -> list[str]:
    """The addresses of a name, as this machine resolves it. Raises ``OSError`` and ``UnicodeError``."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(frozen=True)
class Answer:
    """What came back in the end."""

    url: str
    """Of the last redirect."""
    status: int
    headers: Mapping[str, str]
    """By lower-case name; of several with one name the last."""
    body: bytes
    """At most ``MOST_BODY``, unpacked; empty if it was not to be read."""
    address: str
    """That answered."""

    @property
    def media_type(self) -> str:
        """Lower case, without parameters."""
        return self.headers.get("content-type", "").split(";", 1)[0].strip().lower()


class _Bounds:
    """How long, and how much, one answer may still be."""

    def __init__(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds
        self.left = MOST_HEADERS

    def wait(self) -> float:
        """Seconds for which the next byte may be awaited. Raises ``TimeoutError``."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, SILENCE)

    def count(self, read: int) -> None:
        """So many bytes have come. Raises ``OSError`` for too many."""
        self.left -= read
        if self.left < 0:
            raise OSError("too much")


class _Plain(socket.socket):
    bounds: _Bounds

    def recv_into(self, *arguments: Any) -> int:
        self.settimeout(self.bounds.wait())
        read = super().recv_into(*arguments)
        self.bounds.count(read)
        return read


class _Encrypted(ssl.SSLSocket):
    bounds: _Bounds

    def recv_into(self, *arguments: Any) -> int:
        self.settimeout(self.bounds.wait())
        read = super().recv_into(*arguments)
        self.bounds.count(read)
        return read


class _Connection(HTTPConnection):
    bounds: _Bounds

    def _new_conn(self) -> socket.socket:
        plain = super()._new_conn()
        made = _Plain(fileno=plain.detach())
        made.settimeout(self.timeout if isinstance(self.timeout, int | float) else SILENCE)
        made.bounds = self.bounds
        return made


class _EncryptedConnection(HTTPSConnection):
    bounds: _Bounds

    def connect(self) -> None:
        super().connect()
        if isinstance(self.sock, _Encrypted):
            self.sock.bounds = self.bounds


@dataclass(frozen=True)
class Policy:
    """Whom the bank asks. The default is the public internet, and nothing else."""

    agent: str = "Reclaim"
    """What it calls itself, and where somebody complains."""
    resolve: Resolve = resolve_name
    allowed: frozenset[tuple[str, int]] = frozenset()
    """Addresses with a port each that are asked although they are not public: sites of tests."""
    stand_in: tuple[str, int] | None = None
    """The one address, of this machine, that everything goes to instead; in the clear."""
    authorities: str | None = None
    """A file of certificates to trust instead of the system's."""
    nobody: bool = False
    """Nobody is asked at all: in a sandbox."""

    def addresses(self, name: str, port: int) -> list[str]:
        """The addresses to try for a name. Raises ``ForbiddenError`` and ``NoAnswerError``."""
        if self.nobody:
            raise NoAnswerError("In a sandbox nobody is asked.")
        if self.stand_in is not None:
            return [self.stand_in[0]]
        try:
            found = [name] if _is_address(name) else self.resolve(name, port)
            parsed = [ipaddress.ip_address(each) for each in found]
        except (OSError, UnicodeError, ValueError) as error:
            raise NoAnswerError("The name of the site leads nowhere.") from error
        for each in parsed:
            if (str(each), port) not in self.allowed and not (is_public(each) and port in PORTS.values()):
                # One private address among public ones, too: by such a mixture a second look gets elsewhere.
                raise ForbiddenError("This bank asks public web sites alone.")
        if not parsed:
            raise NoAnswerError("The name of the site leads nowhere.")
        return [str(each) for each in parsed[:MOST_ADDRESSES]]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@dataclass
class Reach:
    """Asks servers under one policy, one request at a time; keeps the last connection for the next one.

    For one thread. Nothing that a server says about itself is kept between two requests: no cookies, no cache.
    """

    policy: Policy = field(default_factory=Policy)
    _kept: tuple[tuple[str, str, int], str, _Connection | _EncryptedConnection] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection that was kept."""
        if self._kept is not None:
            self._kept[2].close()
            self._kept = None

    def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        reads: Callable[[str], bool] = bool,
        seconds: float = SECONDS,
    ) -> Answer:
        """An answer, after at most ``MOST_REDIRECTS``. ``reads`` says of a media type whether the body is read at all;
        otherwise the connection is closed on it.

        Raises ``ForbiddenError`` and ``NoAnswerError``, whose messages quote nothing.
        """
        bounds = _Bounds(seconds)
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._one(url, method, headers or {}, reads, bounds)
            target = answer.headers.get("location", "")
            if answer.status not in (301, 302, 303, 307, 308) or not target:
                return answer
            try:
                url = read_link(urljoin(url, target)).url
            except ValueError as error:
                raise ForbiddenError("It leads to what is no web site.") from error
        raise NoAnswerError("It leads from one address to the next without end.")

    def _one(
        self, url: str, method: str, headers: Mapping[str, str], reads: Callable[[str], bool], bounds: _Bounds
    ) -> Answer:
        parts = urlsplit(url)
        name = parts.hostname or ""
        place = (parts.scheme, name, parts.port or PORTS[parts.scheme])
        sent = {
            "Host": parts.netloc,
            "User-Agent": self.policy.agent,
            "Accept-Encoding": "identity",
            "Accept-Language": "en",
            **headers,
        }
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        bounds.left = MOST_HEADERS
        for again in (True, False):
            used_before = self._kept is not None and self._kept[0] == place
            address, connection = self._connected(place, bounds)
            try:
                connection.request(method, path, headers=sent, preload_content=False, decode_content=False)
                response = connection.getresponse()
                return self._read(url, method, address, response, reads, bounds)
            except (OSError, HTTPError, http.client.HTTPException, ValueError) as error:
                self.close()
                # A connection that was kept may have been closed by the other side meanwhile; a new one was not.
                if not (again and used_before and time.monotonic() < bounds.ends_at):
                    raise NoAnswerError("There is no answer that can be read.") from error
        raise AssertionError("either answered or raised")

    def _connected(
        self, place: tuple[str, str, int], bounds: _Bounds
    ) -> tuple[str, _Connection | _EncryptedConnection]:
        if self._kept is not None:
            known, address, connection = self._kept
            if known == place and connection.sock is not None:
                connection.bounds = bounds
                connection.sock.bounds = bounds  # type: ignore[union-attr]
                return address, connection
            self.close()
        scheme, name, port = place
        failed: Exception | None = None
        for address in self.policy.addresses(name, port):
            connection = self._made(scheme, name, address, port, bounds)
            try:
                connection.timeout = bounds.wait()
                connection.connect()
            except (OSError, HTTPError) as error:
                connection.close()
                failed = error
            else:
                self._kept = (place, address, connection)
                return address, connection
        if isinstance(failed, ssl.SSLCertVerificationError):
            raise NoAnswerError("Its certificate is not one for this site.") from failed
        raise NoAnswerError("The site cannot be reached.") from failed

    def _made(
        self, scheme: str, name: str, address: str, port: int, bounds: _Bounds
    ) -> _Connection | _EncryptedConnection:
        made: _Connection | _EncryptedConnection
        if self.policy.stand_in is not None:
            made = _Connection(address, self.policy.stand_in[1])
        elif scheme == "http":
            made = _Connection(address, port)
        else:
            context = ssl.create_default_context(cafile=self.policy.authorities)
            context.sslsocket_class = _Encrypted
            # The name is checked against the certificate, although it is an address that we connect to.
            made = _EncryptedConnection(address, port, server_hostname=name, ssl_context=context)
        made.bounds = bounds
        return made

    def _read(
        self,
        url: str,
        method: str,
        address: str,
        response: BaseHTTPResponse,
        reads: Callable[[str], bool],
        bounds: _Bounds,
    ) -> Answer:
        headers = {key.lower(): value for key, value in response.headers.items()}
        answer = Answer(url, response.status, headers, b"", address)
        if method == "HEAD" or response.status in (204, 304):
            return answer
        redirected = response.status in (301, 302, 303, 307, 308)
        if redirected or not reads(answer.media_type):
            # What it says besides is of no interest; the connection that may still carry a picture is closed on it.
            self.close()
            return answer
        bounds.left = MOST_BODY + MOST_HEADERS
        body = bytearray()
        while len(body) < MOST_BODY and (
            piece := response.read1(min(65536, MOST_BODY - len(body)), decode_content=False)
        ):
            body += piece
        if len(body) == MOST_BODY:
            self.close()
        return Answer(url, response.status, headers, _unpacked(bytes(body), headers), address)


def _unpacked(body: bytes, headers: Mapping[str, str]) -> bytes:
    """The body without packing, up to ``MOST_BODY``: the rest of a bomb is never made."""
    packing = headers.get("content-encoding", "").strip().lower()
    if packing in ("", "identity"):
        return body
    if packing not in ("gzip", "x-gzip", "deflate"):
        raise ValueError("packed in a way that was not asked for")
    try:
        # 32: whichever of gzip and zlib it is.
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(body, MOST_BODY)
    except zlib.error as error:
        raise ValueError("not packed as it says") from error


__all__ = ["Answer", "ForbiddenError", "NoAnswerError", "NotALinkError", "Policy", "Reach", "is_public", "resolve_name"]
