"""Limits on tries: sliding windows, recorded before they are checked, failing closed, never a lasting lock.

A try is written down first and judged after, so parallel tries cannot slip through together. A try that was refused
counts no longer, so an abuser who hammers cannot keep a person out: the wait ends with the window. Networks and
case numbers are kept only as MACs under a salt that lives two days.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Min
from django.http import HttpRequest

from reclaim.sitekit.models import Attempt, DailySalt


class SlowDownError(Exception):
    """Too many tries. ``seconds`` is when the next may come."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many tries. The next is possible in {seconds} seconds.")
        self.seconds = seconds


@dataclass(frozen=True)
class Limit:
    """At most ``tries`` of ``rule`` in any ``window`` seconds, per key."""

    rule: str
    tries: int
    window: int


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address_of(request: HttpRequest) -> _Address | None:
    """The visitor's address; behind ``RECLAIM_TRUSTED_PROXIES`` proxies, the one that the outermost of ours saw."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        address = hops[-settings.TRUSTED_PROXIES] if len(hops) >= settings.TRUSTED_PROXIES else ""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def comes_from(request: HttpRequest, networks: Sequence[str]) -> bool:
    """Whether the visitor is in one of these networks, written as CIDR. Unknown fails closed."""
    address = _address_of(request)
    return address is not None and any(address in ipaddress.ip_network(network) for network in networks)


def network_of(request: HttpRequest) -> bytes:
    """The visitor's network, /24 or /56: one abuser holds many addresses of it, so it is limited as one.

    An address that cannot be read falls into one shared bucket: unknown fails closed.
    """
    parsed = _address_of(request)
    if parsed is None:
        return b"unknown"
    prefix = 24 if parsed.version == 4 else 56
    return ipaddress.ip_network((parsed, prefix), strict=False).network_address.packed


def _day(now: float) -> datetime.date:
    return datetime.datetime.fromtimestamp(now, datetime.UTC).date()


def _keyed(salt: bytes, counted: bytes) -> bytes:
    return hmac.digest(salt, counted, hashlib.sha256)


def _salt(day: datetime.date) -> bytes:
    known = DailySalt.objects.filter(day=day).first()
    if known is not None:
        return bytes(known.salt)
    try:
        with transaction.atomic():
            row, _ = DailySalt.objects.get_or_create(day=day, defaults={"salt": secrets.token_bytes(32)})
    except IntegrityError:
        row = DailySalt.objects.get(day=day)
    return bytes(row.salt)


def daily_key(counted: bytes) -> bytes:
    """What today stands for a network or the like: a 32-byte MAC under the day's salt, which nobody has tomorrow."""
    return _keyed(_salt(_day(time.time())), counted)


def hidden_threshold(label: str, counted: bytes, low: int, high: int, *, daily: bool = False) -> int:
    """A whole number from ``low`` to ``high`` that stays the same for ``counted`` for an hour, or a day, and that
    nobody knows.

    With a known threshold, whoever shares a network with a person could count up to it and tell by its coming too
    early that somebody else there was here before.
    """
    now = time.time()
    hour = "" if daily else int(now // 3600)
    drawn = _keyed(_salt(_day(now)), f"{label}:{hour}:".encode() + counted)
    return low + int.from_bytes(drawn[:8]) % (high - low + 1)


def note(rule: str, counted: bytes) -> None:
    """Write down that something happened, for ``times_noted``."""
    Attempt.objects.create(at=time.time(), rule=rule, key=daily_key(counted))


def times_noted(rule: str, counted: bytes, window: int, most: int) -> int:
    """How often it was noted in the last ``window`` seconds; counted up to ``most``, so that a flood costs no more."""
    recent = Attempt.objects.filter(rule=rule, key=daily_key(counted), at__gt=time.time() - window)
    return recent[:most].count()


def seconds_to_wait(limits: list[tuple[Limit, bytes]]) -> int:
    """Record one try against every limit and say how long to wait: 0 means go on.

    Each limit comes with what it counts, e.g. a network or a case number's MAC. Call it outside a transaction: the
    record must survive whatever happens to the try. A database error is raised to the caller, who must refuse.
    """
    now = time.time()
    # Windows are short against a day; around midnight a count starts anew, which at worst doubles a limit once.
    salt = _salt(_day(now))
    tries = []
    for limit, counted in limits:
        key = _keyed(salt, counted)
        tries.append((limit, key, Attempt.objects.create(at=now, rule=limit.rule, key=key)))
    wait = 0
    for limit, key, _ in tries:
        # This try is among the counted: of two that meet at the limit, both may be refused but never both let in.
        counted_tries = Attempt.objects.filter(rule=limit.rule, key=key, at__gt=now - limit.window, refused=False)
        if counted_tries.count() > limit.tries:
            oldest = counted_tries.aggregate(oldest=Min("at"))["oldest"]
            wait = max(wait, 1 + int(oldest + limit.window - now))
    if wait:
        Attempt.objects.filter(pk__in=[attempt.pk for _, _, attempt in tries]).update(refused=True)
    return wait


def forget_old(now: datetime.datetime) -> int:
    """Delete tries and salts that no window can reach any more; returns how many tries."""
    DailySalt.objects.filter(day__lt=now.date() - datetime.timedelta(days=1)).delete()
    deleted, _ = Attempt.objects.filter(at__lt=now.timestamp() - 24 * 3600).delete()
    return deleted
