"""Reading peers, and telling them what they are owed: recurring, a little at a time, each from its own checkpoint."""

from __future__ import annotations

import datetime
import json
import time
from collections import Counter
from collections.abc import Iterator

from django.db.models import Q
from django.utils import timezone

from reclaim.bank.federation.own import bring_up_to_date
from reclaim.bank.federation.services import (
    Claim,
    Said,
    finish_removals,
    forget_ended_sources,
    note_told,
    note_try,
    take,
)
from reclaim.bank.federation.store import PeerStore
from reclaim.bank.feedback.models import Feedback
from reclaim.bank.feedback.queries import KeptFor
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.ledger.queries import standing
from reclaim.bank.peers.identity import own_bank_id, own_key
from reclaim.bank.peers.models import Assertion, Peer
from reclaim.bank.peers.queries import present_peers
from reclaim.bank.peers.sealing import NotOursError, unseal
from reclaim.client import BankClient, BankError, CursorGone, Keys, SyncOvertaken, SyncReport, sync
from reclaim.client.federation import FederationClient
from reclaim.client.ncmec import SLACK, NcmecClient
from reclaim.protocol import federation as wire
from reclaim.protocol.ncmec_v2 import Entry, Fingerprint
from reclaim.protocol.stopncii_v1 import MAX_SUBMISSION, FeedbackValue, HashFeedback
from reclaim.sitekit.events import log_event
from reclaim.sitekit.recurring import LeftForNowError
from reclaim.sitekit.secrets import mac

BUDGET = 20.0
"""Seconds for one peer at a time: the rest comes with the next tick, and nobody else's work waits longer."""
OVERLAP = 600
"""Seconds that are asked for again at an NCMEC server, whose entries come in no order that can be relied on."""
TRIED_AGAIN_AFTER = datetime.timedelta(minutes=2)
"""A peer that could not be read is left alone so long: each try may take a minute, and others wait for the tick."""
NEXT_PAGE_KEPT = 6 * 3600
"""Seconds for which such a server's address of a next page is used."""
_NCMEC_TYPES = {Fingerprint.PDQ: LedgerRecord.Type.PDQ.value, Fingerprint.MD5: LedgerRecord.Type.MD5.value}


class _EnoughForNow(Exception):
    """The time for this peer is over; what was stored stays."""


def sync_peers() -> None:
    """End what removed peers left, and read every peer.

    Raises ``LeftForNowError`` where one could not be read; the others were.
    """
    finish_removals(BUDGET)
    faults = 0
    just_tried = Q(tried_at__gt=timezone.now() - TRIED_AGAIN_AFTER) & ~Q(fault="")
    for peer in present_peers().exclude(Q(url="") | just_tried):
        faults += bool(sync_peer(peer))
    bring_up_to_date()
    while forget_ended_sources():
        pass
    if faults:
        raise LeftForNowError(f"peers could not be read; «reclaim bank peer list» says why peers={faults}")


def sync_peer(peer: Peer, budget: float = BUDGET) -> str:
    """Read one peer, for about as long as said (seconds), and tell it what it is owed. Why it failed; empty if not."""
    deadline = time.monotonic() + budget
    read = {
        Peer.Kind.RECLAIM.value: _sync_bank,
        Peer.Kind.STOPNCII.value: _sync_stopncii,
        Peer.Kind.NCMEC.value: _sync_ncmec,
    }[peer.kind]
    try:
        read(peer, deadline)
    except (_EnoughForNow, SyncOvertaken):
        note_try(peer)
        return ""
    except (BankError, NotOursError, ValueError) as error:
        note_try(peer, fault=str(error))
        log_event("a peer could not be read", peer=peer.pk, why=type(error).__name__)
        return str(error)
    note_try(peer, ended=True)
    return ""


def _check_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise _EnoughForNow


# Another Reclaim bank


def _sync_bank(peer: Peer, deadline: float) -> None:
    if peer.bank_id is None:
        raise ValueError("This peer has no bank's key. Remove it and add it anew.")
    client = FederationClient(peer.url, own_key(), peer.bank_id)
    try:
        cursor = Peer.objects.values_list("checkpoint", flat=True).get(pk=peer.pk)
        while True:
            try:
                page = client.page(cursor)
            except CursorGone:
                # It was restored from a backup, perhaps. What is known already costs nothing but the reading.
                page = client.page("")
            if not take_page(peer, page, cursor):
                raise SyncOvertaken
            cursor = page.cursor
            if not page.has_more:
                return
            _check_time(deadline)
    finally:
        client.close()


def take_page(peer: Peer, page: wire.Page, previous: str) -> bool:
    """Keep of a page what its origins have signed, and take it in; ``False`` as ``take`` returns it.

    A bank is believed only if this one's operator has typed in its key, whoever passes its statements on.
    """
    claims: list[Claim] = []
    said: list[Said] = []
    refused = strangers = 0
    own = str(own_bank_id())
    known = {str(bank.bank_id): bank for bank in present_peers().filter(kind=Peer.Kind.RECLAIM)}
    for raw in page.statements:
        signed = wire.read_signed(raw)
        if signed is None:
            refused += 1
            continue
        statement = signed.statement
        if statement.origin == own:
            continue
        origin = known.get(statement.origin)
        if origin is None:
            strangers += 1
        elif not signed.is_from(bytes(origin.public_key or b"")):
            refused += 1
        elif isinstance(statement, wire.Word):
            said.append(Said(origin, statement, signed.signature_bytes() or b""))
        else:
            claims.append(_claim(origin, statement, signed.signature_bytes() or b""))
    if refused:
        log_event("statements were refused: no form, or not their bank's signature", peer=peer.pk, statements=refused)
    return take(peer, claims, said, checkpoint=page.cursor, previous=previous, refused=refused, strangers=strangers)


def _claim(origin: Peer, statement: wire.Assertion, signature: bytes) -> Claim:
    return Claim(
        origin,
        statement.name,
        statement.active,
        statement.version,
        type=statement.type or "",
        value=statement.value or "",
        frames=tuple(statement.frames),
        quality=statement.quality,
        made_with_ai=statement.made_with_ai,
        person=statement.person,
        signature=signature,
    )


# A StopNCII server


def _sync_stopncii(peer: Peer, deadline: float) -> None:
    client = BankClient(peer.url, Keys(**unseal(peer.sealed_keys)))

    def on_page(report: SyncReport) -> None:
        _check_time(deadline)

    try:
        sync(client, PeerStore(peer), on_page)
        if client.can_give_feedback:
            _tell_stopncii(peer, client)
    finally:
        client.close()


def _tell_stopncii(peer: Peer, client: BankClient) -> None:
    """Pass back what platforms here decided, one word a signal."""
    for words, position in _words_for(peer):
        for start in range(0, len(words), MAX_SUBMISSION):
            client.submit_feedback(
                [
                    HashFeedback(
                        hashValue=row.record.value or "",
                        feedbackValue=value,
                        tags=[f"reason:{reason}"] if reason else [],
                    )
                    for row, value, reason in words[start : start + MAX_SUBMISSION]
                    if row.record is not None
                ]
            )
        note_told(peer, position)


def _words_for(peer: Peer) -> Iterator[tuple[list[tuple[Assertion, FeedbackValue, str]], int]]:
    """What is to be passed back of a peer's signals, and the ledger's position up to which that is all."""
    until = standing().position
    changed = Feedback.objects.filter(
        said_position__gte=peer.told_position,
        said_position__lt=until,
        record__status=LedgerRecord.Status.ACTIVE,
        record__sources__peer=peer,
        record__sources__state="active",
    )
    records = set(changed.values_list("record_id", flat=True))
    if not records:
        return
    votes: dict[int, Counter[tuple[FeedbackValue, str]]] = {}
    for said in Feedback.objects.filter(record__in=records):
        value = FeedbackValue(said.value)
        reason = KeptFor.of(said.tags) if value is FeedbackValue.NOT_BLOCKED else KeptFor.UNSAID
        votes.setdefault(said.record_id, Counter())[value, "" if reason is KeptFor.UNSAID else str(reason)] += 1
    rows = Assertion.objects.filter(origin=peer, active=True, record__in=records, source__isnull=False)
    words = []
    for row in rows.select_related("record").defer("record__frames"):
        # One platform that took it down outweighs those that left it up: it is what was reported.
        counted = votes.get(row.record_id or 0, Counter())
        for wanted in (FeedbackValue.BLOCKED, FeedbackValue.NOT_BLOCKED, FeedbackValue.PENDING_REVIEW):
            of_it = [(count, reason) for (value, reason), count in counted.items() if value is wanted]
            if of_it:
                words.append((row, wanted, max(of_it)[1]))
                break
    yield words, until


# An NCMEC server


def _sync_ncmec(peer: Peer, deadline: float) -> None:
    keys = unseal(peer.sealed_keys)
    client = NcmecClient(peer.url, keys["user"], keys["password"])
    try:
        previous = Peer.objects.values_list("checkpoint", flat=True).get(pk=peer.pk)
        place = _NcmecPlace.read(previous)
        while True:
            page = client.entries(place.start, place.end, place.following)
            place = place.after(page.next)
            claims = [claim for entry in page.entries for claim in _claims_of(peer, entry)]
            text = place.as_text()
            if not take(peer, claims, checkpoint=text, previous=previous, refused=page.unread):
                raise SyncOvertaken
            previous = text
            if not page.next:
                break
            _check_time(deadline)
        _tell_ncmec(peer, client)
    finally:
        client.close()


class _NcmecPlace:
    """How far a server was read: up to ``start``; from there to ``end``, if a page is named, so far."""

    def __init__(self, start: int, end: int, following: str, begun_at: int) -> None:
        self.start, self.end, self.following, self.begun_at = start, end, following, begun_at

    @classmethod
    def read(cls, text: str) -> _NcmecPlace:
        """Where to go on, from what ``as_text`` wrote."""
        now = int(time.time())
        stored = cls(**json.loads(text)) if text else cls(0, 0, "", 0)
        if stored.following and now - stored.begun_at < NEXT_PAGE_KEPT:
            return stored
        return cls(max(0, stored.start - OVERLAP), now - SLACK, "", now)

    def after(self, following: str) -> _NcmecPlace:
        """The place after a page that names the next one, or none."""
        start = self.start if following else self.end
        return _NcmecPlace(start, self.end, following, self.begun_at)

    def as_text(self) -> str:
        """One line of JSON."""
        return json.dumps(vars(self))


def _claims_of(peer: Peer, entry: Entry) -> Iterator[Claim]:
    """One claim for each fingerprint that an entry can have here: those that it has not, or no longer, are over."""
    for fingerprint, kind in _NCMEC_TYPES.items():
        value = entry.fingerprints.get(fingerprint, "")
        name = mac("peer-entry", f"{entry.member.id}:{entry.id}:{fingerprint}".encode()).hex()
        note = json.dumps([entry.member.id, entry.id, str(fingerprint)]) if value else ""
        yield Claim(peer, name, bool(value), type=kind, value=value.lower(), note=note)


def _tell_ncmec(peer: Peer, client: NcmecClient) -> None:
    """Pass back what platforms here decided, as votes."""
    for words, position in _words_for(peer):
        guids: dict[str, dict[str, str]] = {}
        for row, value, reason in words:
            if not row.note or value is FeedbackValue.PENDING_REVIEW:
                continue
            member, entry, name = json.loads(row.note)
            fingerprint = Fingerprint(name)
            guid = None
            if value is FeedbackValue.NOT_BLOCKED:
                if name not in guids:
                    guids[name] = {reason: guid for guid, reason in client.reasons(fingerprint).items()}
                # A server's reasons are its own; without one of that name, the vote would say something else.
                guid = guids[name].get(reason)
                if guid is None:
                    continue
            client.vote(member, entry, fingerprint, guid)
        note_told(peer, position)
