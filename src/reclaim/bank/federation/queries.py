"""What other banks are given, who may ask, and how peers stand."""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from reclaim.bank.federation.own import assertion_statement, bring_up_to_date, word_statement
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.ledger.queries import PAGE_BYTES, has_body, standing, with_bodies
from reclaim.bank.peers.identity import own_bank_id
from reclaim.bank.peers.models import Assertion, Peer, StatementClock, Word
from reclaim.bank.peers.queries import present_peers
from reclaim.protocol.federation import Page, claimed_bank, is_authorized, write_signed
from reclaim.sitekit.access import Access, check_for
from reclaim.sitekit.limits import Limit, seconds_to_wait
from reclaim.sitekit.problems import problem

PER_MINUTE = Limit("statements, peer", tries=600, window=60)


class UnknownCursorError(Exception):
    """This bank did not give out the cursor, or was restored from a backup since."""


def access_peer(request: HttpRequest) -> Peer:
    """The bank that signed the request; its route's access check has already let it in."""
    peer: Peer = request.peer  # type: ignore[attr-defined]
    return peer


@check_for(Access.PEER)
def _check(request: HttpRequest) -> HttpResponse | None:
    header = request.headers.get("Authorization", "")
    claimed = claimed_bank(header)
    peer = present_peers().filter(kind=Peer.Kind.RECLAIM, bank_id=claimed).first() if claimed else None
    query = request.META.get("QUERY_STRING", "")
    target = f"{request.path_info}?{query}" if query else request.path_info
    if peer is None or not is_authorized(header, bytes(peer.public_key or b""), own_bank_id(), target, time.time()):
        return problem(
            401,
            "This bank is not known here",
            "Each bank's operator adds the other with «reclaim bank peer add». If yours did, check both clocks: they "
            "may be five minutes apart.",
        )
    if wait := seconds_to_wait([(PER_MINUTE, peer.pk.to_bytes(8, "big"))]):
        refusal = problem(429, "Too many requests", f"Ask again in {wait} seconds.")
        refusal["Retry-After"] = str(wait)
        return refusal
    request.peer = peer  # type: ignore[attr-defined]
    return None


def statements(peer: Peer, cursor: str, limit: int) -> Page:
    """The next statements for another bank: this bank's own, and others' as they signed them; not its own again.

    Raises ``UnknownCursorError``.
    """
    bring_up_to_date()
    # Read first: what has a position up to there is visible to the two reads that follow.
    clock, _ = StatementClock.objects.get_or_create(pk=1)
    ledger = str(standing().ledger)
    after = _position(cursor, ledger, clock.position)
    due = Q(position__gt=after, position__lte=clock.position)
    assertions = Assertion.objects.filter(due).exclude(origin=peer).order_by("position")
    words = Word.objects.filter(due).exclude(origin=peer).order_by("position")
    found: list[Assertion | Word] = [
        *assertions.select_related("origin", "record", "source").defer("record__frames")[: limit + 1],
        *words.select_related("origin", "about__origin")[: limit + 1],
    ]
    found.sort(key=lambda row: row.position or 0)
    page, room = found[:limit], PAGE_BYTES
    videos = _videos(page)
    fits = set(list(videos)[: with_bodies(list(videos.values()))])
    written: list[dict[str, Any]] = []
    for place, row in enumerate(page):
        if isinstance(row, Assertion) and row.record_id in videos:
            if row.record_id not in fits:
                page = page[:place]
                break
            row.record = videos[row.record_id]
        told = _told(row)
        if told is None:
            continue
        room -= sum(len(text) + 3 for text in told["statement"].get("frames", ()))
        if room < 0 and written:
            page = page[:place]
            break
        written.append(told)
    more = len(page) < len(found)
    reached = (page[-1].position or after) if more else clock.position
    return Page(statements=written, cursor=f"{ledger}.{reached}", has_more=more)


def _videos(page: Iterable[Assertion | Word]) -> dict[int, LedgerRecord]:
    """The records on a page whose frames it needs, by key: two banks may have stated the same one."""
    stated = [row.record for row in page if isinstance(row, Assertion) and row.active and row.record is not None]
    return {record.pk: record for record in stated if has_body(record)}


def _position(cursor: str, ledger: str, last: int) -> int:
    if not cursor:
        return 0
    identity, _, position = cursor.partition(".")
    if identity != ledger or not (position.isascii() and position.isdigit() and len(position) < 19):
        raise UnknownCursorError
    if int(position) > last:
        raise UnknownCursorError
    return int(position)


def _told(row: Assertion | Word) -> dict[str, Any] | None:
    """A statement as it is passed on; ``None`` for one that has been overtaken, or of a bank that was removed."""
    if row.origin is not None and row.origin.ended_at is not None:
        return None
    bank: uuid.UUID = row.origin.bank_id if row.origin and row.origin.bank_id else own_bank_id()
    signature = bytes(row.signature or b"")
    if isinstance(row, Word):
        return write_signed(word_statement(row, bank), signature) if row.about.active else None
    if row.active:
        record = row.record
        ended = row.origin is not None and (row.source is None or not row.source.active)
        if record is None or record.status != LedgerRecord.Status.ACTIVE or record.value is None or ended:
            return None
        if has_body(record) and record.frames is None:
            # They are gone since the record was read: that it is withdrawn comes further on.
            return None
    return write_signed(assertion_statement(row, bank, row.record), signature)


@dataclass(frozen=True)
class PeerState:
    """How a peer stands, for those who watch."""

    name: str
    kind: str
    synced_at: datetime.datetime | None
    """When it was last read to its end."""
    lag: int | None
    """Seconds since then; ``None`` before the first time, and where it has no address of its own."""
    fault: str
    """Why it could not be read the last time; empty if it could."""
    signals: int
    """How many it has in this bank."""
    not_taken_in: int
    """How many it names that a person of this bank has withdrawn."""
    refused: int
    strangers: int
    """Statements of banks that are not known here, which it passed on."""
    owed: int
    """Deletions that it has not been told yet: platforms here may still hold them."""


def peer_states() -> list[PeerState]:
    """Every present peer, by name."""
    return [_state(peer) for peer in present_peers()]


def _state(peer: Peer) -> PeerState:
    active = Assertion.objects.filter(origin=peer, active=True)
    in_place = active.filter(source__state="active").count()
    lag = int((timezone.now() - peer.synced_at).total_seconds()) if peer.synced_at and peer.url else None
    return PeerState(
        peer.name,
        peer.kind,
        peer.synced_at,
        lag,
        peer.fault,
        in_place,
        active.count() - in_place,
        peer.refused,
        peer.strangers,
        peer.debts.count(),
    )
