"""A connection to one bank: HTTPS, with limits on what is believed, awaited and read."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import HTTPError, MaxRetryError

from reclaim.client.errors import BankMisbehaved, BankUnreachable

TIMEOUT = Timeout(connect=10, read=60)
LONGEST_WAIT = 120
"""A bank that asks to be left alone for longer (seconds) is tried at the next sync instead."""
LARGEST_ANSWER = 64 * 1024 * 1024
LONGEST_ANSWER = 300.0
"""Seconds: a body that trickles in for longer is not awaited."""
NOT_NOW = frozenset({429, 500, 502, 503, 504})
_CHUNK = 1024 * 1024


class _Patience(Retry):
    """Retries that honour Retry-After, unless it is longer than a sync should hang."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if response is not None and _pool is not None and (self.get_retry_after(response) or 0) > LONGEST_WAIT:
            raise MaxRetryError(_pool, url or "", error)
        return super().increment(method, url, response, error, _pool, _stacktrace)


READS = _Patience(
    total=4,
    redirect=0,
    status_forcelist=NOT_NOW,
    allowed_methods=["GET"],
    backoff_factor=0.2,
    raise_on_status=False,
)
# A submission whose answer was lost may have been taken; the caller decides, nobody repeats it unasked.
ONCE = Retry(total=0, redirect=0, raise_on_status=False)


@dataclass(frozen=True)
class Bounds:
    """How much of an answer is awaited."""

    most: int = LARGEST_ANSWER
    """Bytes."""
    seconds: float = LONGEST_ANSWER
    """Of its body."""
    timeout: Timeout = TIMEOUT


USUAL = Bounds()


@dataclass(frozen=True)
class Answer:
    """An answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def checked_base_url(base_url: str) -> str:
    """The base address without a slash at its end.

    Raises ``ValueError`` for one that would send the keys in the clear to another machine, or that is none.
    """
    try:
        parts = urlsplit(base_url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("A bank's base address looks like https://bank.example/v1, without a name, ? or #.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(host)):
        raise ValueError("A bank's base address starts with https://: without it anybody on the way reads the keys.")
    return parts.geturl().rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Connection:
    """Safe to share between threads. Certificates are verified against the system's authorities; redirects are not
    followed, so that the keys go nowhere else.

    What goes wrong is a ``BankUnreachable`` or a ``BankMisbehaved``, whose sentences quote no address, key or body.
    """

    def __init__(self) -> None:
        self._pool = PoolManager(cert_reqs="CERT_REQUIRED", timeout=TIMEOUT)

    def close(self) -> None:
        """Close idle connections. New ones are opened when it is used again."""
        self._pool.clear()

    def call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        retries: Retry = READS,
        fields: Mapping[str, str] | None = None,
        body: bytes | None = None,
        bounds: Bounds = USUAL,
    ) -> Answer:
        """An answer whose body is within ``bounds``."""
        with self.open(
            method, url, headers, retries=retries, fields=fields, body=body, timeout=bounds.timeout
        ) as response:
            read = read_within(response, bounds.most, bounds.seconds)
            return Answer(response.status, dict(response.headers), b"".join(read))

    @contextlib.contextmanager
    def open(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        retries: Retry = READS,
        fields: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: Timeout = TIMEOUT,
    ) -> Iterator[BaseHTTPResponse]:
        """An answer whose body the caller reads, not decompressed; what breaks while it is read is translated too."""
        failed = False
        try:
            response = self._pool.request(
                method,
                url,
                fields=dict(fields) if fields else None,
                body=body,
                headers=dict(headers),
                retries=retries,
                redirect=False,
                preload_content=False,
                timeout=timeout,
            )
            try:
                yield response
            except BaseException:
                response.close()
                raise
            finally:
                response.release_conn()
        except (HTTPError, OSError):
            failed = True
        # Raised out here: the library's own errors quote addresses and headers.
        if failed:
            raise BankUnreachable(
                "The bank cannot be reached. Check its address and your network, and try again; what was stored stays."
            )


def read_within(
    response: BaseHTTPResponse, most: int, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[bytes]:
    """The body in pieces, to its end: only the read that finds nothing more tells a whole body from a broken-off one.

    Raises ``BankMisbehaved`` where it has more than ``most`` bytes, ``BankUnreachable`` where it takes longer.
    """
    ends_at, read = clock() + seconds, 0
    while chunk := response.read1(_CHUNK, decode_content=False):
        read += len(chunk)
        if read > most:
            raise BankMisbehaved(
                f"The bank's answer is larger than {most // 2**20} MB and was not read. Fetch with a smaller page size."
            )
        if clock() > ends_at:
            raise BankUnreachable("The bank's answer comes too slowly. Try again later; what was stored stays.")
        yield chunk


def json_object(body: bytes, advice: str) -> dict[str, Any]:
    """The JSON object in a body; raises ``BankMisbehaved``, with ``advice`` on what to look at."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise BankMisbehaved(f"The bank's answer is not a JSON object. {advice}")
    return message
