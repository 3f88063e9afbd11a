"""Cursors: how far a platform has stored the feed, and of what it was given.

A cursor is made for one platform and tells by itself what that platform has: every change up to a position, of the
types and above the trust that it asked for ever since the beginning. So the bank keeps no note of any fetch, and what a
person reads about a platform rests on a MAC.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
import time
import uuid
from dataclasses import dataclass, replace

from reclaim.bank.ledger.queries import Standing, knows_the_moment
from reclaim.bank.ledger.services import begin_another_ledger
from reclaim.bank.platforms.models import Platform
from reclaim.protocol.native_v2 import EXTRA_TYPES, SIGNAL_TYPES, AnyType, SignalsQuery
from reclaim.sitekit.secrets import mac

_LAYOUT = struct.Struct(">B16sQQQBB")
_VERSION = 0x10
_COMPLETE = 0x01
_MAC_BYTES = 16
_BITS: tuple[AnyType, ...] = (*SIGNAL_TYPES, *EXTRA_TYPES)
"""What each bit of a cursor's types stands for."""


class GoneError(Exception):
    """This cursor leads nowhere any more; the message says why."""


@dataclass(frozen=True)
class Cursor:
    """What a platform that shows it has stored."""

    ledger: uuid.UUID
    position: int
    second: int
    """The ledger's clock at that position, epoch seconds."""
    issued_at: int
    """Epoch milliseconds."""
    types: frozenset[AnyType]
    least_trust: int
    complete: bool
    """It ended a fetch: there was nothing more."""

    def encode(self, platform: Platform) -> str:
        """As text: URL-safe, 80 characters."""
        packed = _LAYOUT.pack(
            _VERSION | (_COMPLETE if self.complete else 0),
            self.ledger.bytes,
            self.position,
            self.second,
            self.issued_at,
            sum(1 << bit for bit, name in enumerate(_BITS) if name in self.types),
            self.least_trust,
        )
        return base64.urlsafe_b64encode(packed + _mac(platform, packed)).decode().rstrip("=")

    @property
    def everything(self) -> bool:
        """Whether the records of all signals but videos' frames were given; of a fetch of extra types, all of its."""
        return ({"pdq", "md5"} <= self.types or self.extra) and self.least_trust == 0

    @property
    def extra(self) -> bool:
        """Whether it is of a fetch of extra types, which stands beside the other."""
        return not self.types.isdisjoint(EXTRA_TYPES)


def read_cursor(text: str, platform: Platform) -> Cursor:
    """The cursor that this bank gave this platform.

    Raises ``ValueError`` for what is no cursor at all, and ``GoneError`` for one that is not from here.
    """
    try:
        whole = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("This is no cursor of a bank.") from error
    if len(whole) != _LAYOUT.size + _MAC_BYTES:
        raise ValueError("This is no cursor of a bank.")
    packed, shown = whole[: _LAYOUT.size], whole[_LAYOUT.size :]
    if not hmac.compare_digest(shown, _mac(platform, packed)):
        raise GoneError("This cursor is of another bank, or was given to another platform.")
    flags, ledger, position, second, issued_at, types, least_trust = _LAYOUT.unpack(packed)
    return Cursor(
        uuid.UUID(bytes=ledger),
        position,
        second,
        issued_at,
        frozenset(name for bit, name in enumerate(_BITS) if types >> bit & 1),
        least_trust,
        bool(flags & _COMPLETE),
    )


def beginning(query: SignalsQuery, now: Standing) -> Cursor:
    """The cursor of a platform that has nothing yet."""
    return Cursor(now.ledger, 0, 0, _now(), query.wanted, query.least_trust, complete=True)


def going_on(cursor: Cursor, query: SignalsQuery, position: int, second: int, *, complete: bool) -> Cursor:
    """The cursor after one more page: what was left out on the way stays left out.

    Until a fetch comes to its end, its cursors are as old as the one that it began with: of what was withdrawn since
    then, what lies behind them is not told yet, and is not told any more once its retention ends.
    """
    return replace(
        cursor,
        position=position,
        second=second,
        issued_at=_now() if complete else cursor.issued_at,
        types=cursor.types & query.wanted,
        least_trust=max(cursor.least_trust, query.least_trust),
        complete=complete,
    )


def check_cursor(cursor: Cursor, query: SignalsQuery, now: Standing, oldest: int) -> None:
    """Refuse a cursor from which the feed cannot go on without a gap. ``oldest`` is in epoch milliseconds.

    A cursor that this ledger cannot have given out shows that it was restored from a backup; then every platform must
    take a snapshot, since positions are handed out again for other changes. Raises ``GoneError``.
    """
    if cursor.ledger != now.ledger:
        raise GoneError("The bank was restored from a backup since this cursor was given out.")
    if cursor.issued_at < oldest:
        raise GoneError("This cursor is older than withdrawn signals stay in the feed.")
    if not query.wanted <= cursor.types or query.least_trust < cursor.least_trust:
        raise GoneError("You ask for more than this cursor's fetch did, so it has passed signals that you now want.")
    if cursor.position > now.position or not knows_the_moment(cursor.position, cursor.second):
        begin_another_ledger(cursor.ledger, "system")
        raise GoneError("The bank was restored from a backup since this cursor was given out.")


def _now() -> int:
    return int(time.time() * 1000)


def _mac(platform: Platform, packed: bytes) -> bytes:
    return mac("cursor", platform.pk.to_bytes(8, "big") + packed)[:_MAC_BYTES]
