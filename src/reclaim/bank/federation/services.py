"""Writes on peers and on what they say: one way in for every wire."""

from __future__ import annotations

import math
import time
import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from reclaim.bank.federation.clock import Counters, locked_statements
from reclaim.bank.ledger.models import LedgerRecord, Source
from reclaim.bank.ledger.queries import is_synthetic
from reclaim.bank.ledger.services import LedgerTransaction, forget_sources, locked_ledger
from reclaim.bank.peers.identity import own_bank_id
from reclaim.bank.peers.models import Assertion, Debt, Peer, Withdrawal, Word
from reclaim.bank.peers.queries import present_peers, withdrawal_mac
from reclaim.bank.peers.sealing import seal
from reclaim.bank.screening.queries import Candidate, Verdict, screen
from reclaim.client.connection import checked_base_url
from reclaim.protocol import federation as wire
from reclaim.protocol.federation import bank_id_of
from reclaim.signals.frames import frames_text, vpdq_value
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event

_AT_ONCE = 1000
"""How many signals end in one transaction: meanwhile nobody else can write the ledger."""
_ROWS_A_SIGNAL = 4
"""How many names, gone ones among them, a peer may have for each signal that it may have."""
_WORDS_A_SIGNAL = 200
"""How many platforms of one bank may have a word on one signal."""


class PeerError(Exception):
    """This peer cannot be added; the message says why."""


@dataclass(frozen=True)
class Claim:
    """What a peer says of one signal, its origin already made sure of. One that is not active has no signal."""

    origin: Peer
    name: str
    active: bool
    version: int | None = None
    """``None``: it came after whatever the same name came with before."""
    type: str = ""
    value: str = ""
    frames: tuple[str, ...] = ()
    quality: int | None = None
    made_with_ai: bool = False
    person: bool = True
    signature: bytes | None = None
    generation: int = 0
    note: str = ""
    """What feedback to the peer has to name."""


@dataclass(frozen=True)
class Said:
    """A bank's word on a decision of one of its platforms, its signature already checked."""

    origin: Peer
    word: wire.Word
    signature: bytes


def add_peer(
    name: str,
    kind: Peer.Kind,
    url: str,
    *,
    public_key: bytes | None = None,
    keys: dict[str, Any] | None = None,
    most_signals: int = 1_000_000,
    actor: str = "operator",
) -> Peer:
    """Take part with a peer. One that was removed is added again under its name.

    A Reclaim bank has its ``public_key`` and no keys; it may be without an address, when its statements come through
    others. Raises ``PeerError``; ``ValueError`` for an address that is unsafe or a name that is none.
    """
    name = name.strip()
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise ValueError("A peer's name has 1 to 80 printable characters.")
    if url:
        url = checked_base_url(url)
    if is_synthetic():
        raise PeerError("This is a staging bank, whose signals anybody may have: it takes in nobody's real ones.")
    finish_removals()
    bank_id = bank_id_of(public_key) if public_key else None
    if bank_id == own_bank_id():
        raise PeerError("This is this bank's own key. Type in the one that the other bank's operator sees.")
    facts = {
        "kind": kind,
        "url": url,
        "bank_id": bank_id,
        "public_key": public_key,
        "sealed_keys": seal(keys) if keys else "",
        "most_signals": most_signals,
        "ended_at": None,
        "checkpoint": "",
        "fault": "",
    }
    try:
        with transaction.atomic():
            # A bank that was removed and comes back under another name is still the same origin.
            gone = Peer.objects.select_for_update().exclude(ended_at=None)
            peer = (gone.filter(bank_id=bank_id).first() if bank_id else None) or gone.filter(name=name).first()
            if peer is None:
                peer = Peer.objects.create(name=name, **facts)
            else:
                if peer.kind != kind or peer.bank_id != bank_id:
                    peer.assertions.all().delete()
                    peer.active_assertions = peer.known_assertions = 0
                for field, value in {"name": name, **facts}.items():
                    setattr(peer, field, value)
                peer.save()
            # What banks passed on of this one was a stranger's word so far.
            present_peers().filter(kind=Peer.Kind.RECLAIM).update(checkpoint="", strangers=0)
            audit.record(actor, "peer.add", f"peer:{peer.pk}")
    except IntegrityError as error:
        raise PeerError("A peer of this name, or with this key, is there already.") from error
    return peer


def remove_peer(peer: Peer, actor: str = "operator") -> int:
    """End a peer: what it alone keeps in the bank becomes tombstones. Returns how many signals it had here.

    What it said was over stays known, so that nobody can say otherwise in its name later. It is no peer any more before
    the first of its signals goes: where this is cut off, ``finish_removals`` goes on.
    """
    count = peer.assertions.filter(active=True, source__state=Source.State.ACTIVE).count()
    with locked_ledger():
        Peer.objects.filter(pk=peer.pk).update(ended_at=timezone.now(), sealed_keys="", checkpoint="")
        audit.record(actor, "peer.remove", f"peer:{peer.pk}")
    while _remove_some(peer):
        pass
    return count


def finish_removals(budget: float = math.inf) -> None:
    """Go on with what removed peers still have here, for about so many seconds."""
    deadline = time.monotonic() + budget
    of_it = {"origin": OuterRef("pk")}
    left = (
        Exists(Assertion.objects.filter(**of_it, active=True))
        | Exists(Word.objects.filter(**of_it))
        | Exists(Debt.objects.filter(peer=OuterRef("pk")))
    )
    for peer in Peer.objects.exclude(ended_at=None).filter(left):
        while _remove_some(peer):
            if time.monotonic() > deadline:
                return


def _remove_some(peer: Peer) -> bool:
    """Let go of a little of what a removed peer has here; whether there was any."""
    with locked_ledger() as ledger:
        removed = Peer.objects.select_for_update().filter(pk=peer.pk).exclude(ended_at=None)
        if removed.first() is None:
            return False
        said = list(peer.assertions.filter(active=True).order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
        _withdraw_said(ledger, said)
        Assertion.objects.filter(pk__in=said).delete()
        removed.update(
            active_assertions=F("active_assertions") - len(said), known_assertions=F("known_assertions") - len(said)
        )
        found = len(said)
        for rows in (peer.words, peer.debts):
            some = list(rows.values_list("pk", flat=True)[:_AT_ONCE])
            rows.filter(pk__in=some).delete()
            found += len(some)
    return found > 0


def _withdraw_said(ledger: LedgerTransaction, assertions: Sequence[int]) -> int:
    """End what these keep in the bank; returns how many signals."""
    sources = list(Source.objects.filter(assertion__in=assertions, state=Source.State.ACTIVE))
    ledger.withdraw_sources(sources)
    return len(sources)


def note_try(peer: Peer, *, fault: str = "", ended: bool = False) -> None:
    """Remember how reading a peer went: a sentence where it failed, or that its end was reached."""
    now = timezone.now()
    facts: dict[str, Any] = {"tried_at": now, "fault": fault[:300]}
    if ended:
        facts["synced_at"] = now
    Peer.objects.filter(pk=peer.pk).update(**facts)


def note_told(peer: Peer, position: int) -> None:
    """Remember up to which position of the ledger platforms' words have been passed back to a peer."""
    Peer.objects.filter(pk=peer.pk).update(told_position=position)


def take(
    through: Peer,
    claims: Sequence[Claim],
    said: Sequence[Said] = (),
    *,
    checkpoint: str,
    previous: str,
    refused: int = 0,
    strangers: int = 0,
) -> bool:
    """Take in what came from a peer, together with the checkpoint that follows it: all of it, or nothing.

    ``False`` where another process went on from ``previous`` meanwhile, or the peer was removed; nothing is taken then.
    A signal that is unfit is refused, as a platform's is; so is more than the peer's limit. One that a person of this
    bank withdrew is not taken in, unless a person of this bank has it again.
    """
    if not claims and not said:
        counted = {"refused": F("refused") + refused, "strangers": F("strangers") + strangers}
        there = Peer.objects.filter(pk=through.pk, ended_at=None, checkpoint=previous)
        return bool(there.update(checkpoint=checkpoint, **counted))
    verdicts = screen([Candidate(claim.type, claim.value, claim.frames) for claim in claims if claim.active])
    judged = iter(verdicts)
    fitting = [(claim, next(judged) if claim.active else None) for claim in claims]
    with locked_ledger() as ledger:
        if not Peer.objects.filter(pk=through.pk, ended_at=None, checkpoint=previous).exists():
            return False
        intake = _Intake(ledger, claims)
        for claim, verdict in fitting:
            intake.consider(claim, verdict)
        with locked_statements() as counters:
            intake.finish(counters)
            refused += _take_words(counters, said)
        now = Peer.objects.get(pk=through.pk)
        now.checkpoint = checkpoint
        now.refused += refused + intake.counts["refused"]
        now.strangers += strangers
        now.save(update_fields=["checkpoint", "refused", "strangers"])
        if changed := intake.counts["added"] + intake.counts["ended"]:
            audit.record(f"peer:{through.pk}", "statements.take", f"signals:{changed}")
    if changed:
        log_event(
            "a peer's signals came in", peer=through.pk, added=intake.counts["added"], ended=intake.counts["ended"]
        )
    return True


def end_others(peer: Peer, generation: int, *, checkpoint: str, previous: str) -> int | None:
    """End what a peer said before this generation, then store the checkpoint; how many signals, or ``None`` as ``take``
    returns ``False``.

    A little at a time: until all is done the checkpoint is ``previous``, from where the next read gets here again.
    """
    others = Assertion.objects.filter(origin=peer, active=True).exclude(generation=generation)
    count = last = 0
    while True:
        some = list(others.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
        with locked_ledger() as ledger:
            at_previous = Peer.objects.filter(pk=peer.pk, ended_at=None, checkpoint=previous)
            if not at_previous.exists():
                return None
            if not some:
                at_previous.update(checkpoint=checkpoint)
                return count
            ended = _withdraw_said(ledger, some)
            quiet = others.filter(pk__in=some).update(
                active=False, source=None, record=None, quality=None, made_with_ai=False, person=False
            )
            at_previous.update(active_assertions=F("active_assertions") - quiet)
            audit.record(f"peer:{peer.pk}", "statements.sweep", f"signals:{ended}")
        count, last = count + ended, some[-1]


class _Intake:
    """Claims on their way into the ledger, within one transaction."""

    def __init__(self, ledger: LedgerTransaction, claims: Sequence[Claim]) -> None:
        self.counts: Counter[str] = Counter()
        self._ledger, self._claims = ledger, claims
        origins = {claim.origin.pk: claim.origin for claim in claims}
        names = {claim.name for claim in claims}
        rows = Assertion.objects.filter(origin__in=list(origins), name__in=names)
        loaded = rows.select_related("record", "source__record").defer("record__frames", "source__record__frames")
        self._rows = {(row.origin_id, row.name): row for row in loaded}
        self._new: dict[tuple[int | None, str], Assertion] = {}
        self._changed: dict[tuple[int | None, str], Assertion] = {}
        self._ending: list[Source] = []
        self._touched: list[tuple[Source, Claim]] = []
        self._active, self._all = Counter[int](), Counter[int]()
        counted = Peer.objects.filter(pk__in=list(origins)).values_list("pk", "active_assertions", "known_assertions")
        self._before = {key: (active, known) for key, active, known in counted}
        for key, (active, known) in self._before.items():
            self._active[key], self._all[key] = active, known
        self._look_up([claim for claim in claims if claim.active])

    def _look_up(self, claims: Collection[Claim]) -> None:
        """What this bank knows of the signals: which a person withdrew, which one has, and whose canaries are some."""
        values = {claim.value.lower() for claim in claims if claim.value}
        types = {claim.type for claim in claims}
        here = Source.objects.filter(
            record__type__in=types, record__value__in=values, state=Source.State.ACTIVE, platform=None, peer=None
        )
        self._persons = set(here.values_list("record__type", "record__value"))
        canaries = LedgerRecord.objects.filter(type__in=types, value__in=values).exclude(only_for=None)
        self._canaries = {
            (kind, value): platform for kind, value, platform in canaries.values_list("type", "value", "only_for")
        }
        macs = {withdrawal_mac(claim.type, claim.value.lower()) for claim in claims}
        found = Withdrawal.objects.filter(mac__in=macs).values_list("mac", flat=True)
        self._withdrawn = {bytes(each) for each in found}

    def consider(self, claim: Claim, verdict: Verdict | None) -> None:
        """Take in one claim, if it is later than what is known."""
        key = (claim.origin.pk, claim.name)
        row = self._rows.get(key)
        if row is None and not claim.active and claim.version is None:
            return
        if row is not None and not _is_later(claim, row):
            return
        if verdict is not None and not self._fits(claim, verdict, row):
            self.counts["refused"] += 1
            if row is None:
                return
            # A later word than the one that is here, and no use: the earlier one is over all the same.
            verdict = None
        if row is None:
            if self._all[claim.origin.pk] >= _ROWS_A_SIGNAL * claim.origin.most_signals:
                self.counts["refused"] += 1
                return
            self._all[claim.origin.pk] += 1
            row = self._rows[key] = self._new[key] = Assertion(
                origin=claim.origin, name=claim.name, version=0, active=False
            )
        elif key not in self._new:
            self._changed[key] = row
        self._active[claim.origin.pk] += (verdict is not None) - row.active
        row.version = row.version + 1 if claim.version is None else claim.version
        row.generation, row.signature, row.note = claim.generation, claim.signature, claim.note[:300]
        if verdict is None:
            self._end(row, unfit=claim.active)
        else:
            self._put(row, claim, verdict)

    def _fits(self, claim: Claim, verdict: Verdict, row: Assertion | None) -> bool:
        """Whether an active claim may be in this bank. Nobody looks at peers' signals, so none is held."""
        if verdict.refused or verdict.held_for:
            return False
        if claim.signature is not None and verdict.value and verdict.value != claim.value:
            return False
        is_more = row is None or not row.active
        return not (is_more and self._active[claim.origin.pk] >= claim.origin.most_signals)

    def _put(self, row: Assertion, claim: Claim, verdict: Verdict) -> None:
        value = _value(claim, verdict)
        row.active = True
        row.quality, row.made_with_ai, row.person = claim.quality, claim.made_with_ai, claim.person
        mark = withdrawal_mac(claim.type, value)
        if mark in self._withdrawn and (claim.type, value) not in self._persons:
            self._let_go(row)
            return
        frames = frames_text(verdict.frames)
        if claim.signature is not None and claim.type == LedgerRecord.Type.VPDQ and frames != list(claim.frames):
            # Some frames stay out here, so what is kept is not what was signed, and is not passed on.
            row.signature = None
        source = row.source
        if source is not None and source.active and _is_of(source, claim.type, value):
            self._touched.append((source, claim))
            return
        self._let_go(row)
        row.source = self._ledger.add_source(
            claim.type,
            value,
            frames,
            quality=claim.quality,
            peer=claim.origin,
            made_with_ai=claim.made_with_ai,
        )
        if row.source.record is not None:
            # A canary that its platform gave to the peer too stays in that platform's feed alone. There it must look as
            # any signal that a peer has as well: what is refused would be known by it.
            row.source.record.only_for_id = self._canaries.get((claim.type, value))
        self.counts["added"] += 1

    def _end(self, row: Assertion, *, unfit: bool) -> None:
        row.active = False
        row.quality, row.made_with_ai, row.person = None, False, False
        if unfit:
            row.signature = None
        self._let_go(row)

    def _let_go(self, row: Assertion) -> None:
        """End what the row keeps in the bank."""
        if row.source is not None:
            if row.source.active:
                self._ending.append(row.source)
                self.counts["ended"] += 1
            row.source = None

    def finish(self, counters: Counters) -> None:
        """Write everything."""
        self._ledger.settle()
        self._ledger.withdraw_sources(self._ending)
        for source, claim in self._touched:
            if (source.quality, source.made_with_ai) != (claim.quality, claim.made_with_ai):
                source.quality, source.made_with_ai = claim.quality, claim.made_with_ai
                source.save(update_fields=["quality", "made_with_ai"])
                if source.record is not None:
                    self._ledger.touch(source.record)
        self._ledger.settle()
        _owe(self._claims, self._rows)
        for row in (*self._new.values(), *self._changed.values()):
            row.record = row.source.record if row.source else None
            row.position = counters.next_position() if row.signature is not None else None
        Assertion.objects.bulk_create(list(self._new.values()))
        Assertion.objects.bulk_update(
            list(self._changed.values()),
            [
                "version",
                "active",
                "record",
                "source",
                "quality",
                "made_with_ai",
                "person",
                "signature",
                "position",
                "generation",
                "note",
            ],
        )
        for key, (active, known) in self._before.items():
            more_active, more_known = self._active[key] - active, self._all[key] - known
            if more_active or more_known:
                Peer.objects.filter(pk=key).update(
                    active_assertions=F("active_assertions") + more_active,
                    known_assertions=F("known_assertions") + more_known,
                )
        over = [row.pk for row in self._changed.values() if not row.active]
        Word.objects.filter(about__in=over).delete()


def _is_later(claim: Claim, row: Assertion) -> bool:
    """Whether a claim outdates what is known: by its version, and of two with the same one the withdrawal does."""
    return claim.version is None or (claim.version, not claim.active) > (row.version, not row.active)


def _is_of(source: Source, signal_type: str, value: str) -> bool:
    return source.record is not None and (source.record.type, source.record.value) == (signal_type, value)


def _value(claim: Claim, verdict: Verdict) -> str:
    """The value under which the ledger keeps it: a video's names the frames that are left of it."""
    return vpdq_value(verdict.frames) if claim.type == LedgerRecord.Type.VPDQ else verdict.value


def _owe(claims: Sequence[Claim], rows: dict[tuple[int | None, str], Assertion]) -> None:
    """Note which deletions StopNCII servers are to be told of once the copies here are gone, had there been any or not.

    A server's name for a signal is the value, which has to go: it is sealed here.
    """
    of_servers = [claim for claim in claims if claim.origin.kind == Peer.Kind.STOPNCII]
    Debt.objects.filter(
        peer__in={claim.origin.pk for claim in of_servers}, name__in={claim.name for claim in of_servers}
    ).delete()
    latest = {(claim.origin.pk, claim.name): claim for claim in of_servers}
    Debt.objects.bulk_create(
        Debt(peer_id=key[0], name=claim.name, sealed=seal([claim.type, claim.value]), record=_record_of(rows.get(key)))
        for key, claim in latest.items()
        if not claim.active
    )


def _record_of(row: Assertion | None) -> LedgerRecord | None:
    return row.record if row is not None else None


def _take_words(counters: Counters, said: Sequence[Said]) -> int:
    """Take in words on decisions; returns how many were refused."""
    about = _asserted(said)
    names, origins = {uuid.UUID(each.word.name) for each in said}, {each.origin.pk for each in said}
    known = {(row.origin_id, row.name): row for row in Word.objects.filter(origin__in=origins, name__in=names)}
    there = Word.objects.filter(about__in=list(about.values())).exclude(origin=None).values_list("origin", "about")
    counted = Counter[tuple[int | None, int]](there)
    refused = 0
    new: dict[tuple[int | None, uuid.UUID], Word] = {}
    changed: dict[tuple[int | None, uuid.UUID], Word] = {}
    for each in said:
        word = each.word
        key = (each.origin.pk, uuid.UUID(word.name))
        row, subject = known.get(key), about.get((word.about_origin, word.about))
        if subject is None or (row is not None and (word.version <= row.version or row.about_id != subject.pk)):
            # Of what is over, or was never taken in, nothing is kept.
            continue
        if row is None:
            counted[each.origin.pk, subject.pk] += 1
            if counted[each.origin.pk, subject.pk] > _WORDS_A_SIGNAL:
                refused += 1
                continue
            row = known[key] = new[key] = Word(origin=each.origin, name=key[1], about=subject)
        elif key not in new:
            changed[key] = row
        row.version, row.platform = word.version, uuid.UUID(word.platform)
        row.decision, row.reason, row.signature = word.decision, word.reason, each.signature
        row.position = counters.next_position()
    Word.objects.bulk_create(list(new.values()))
    Word.objects.bulk_update(
        list(changed.values()), ["version", "platform", "decision", "reason", "signature", "position"]
    )
    return refused


def _asserted(said: Sequence[Said]) -> dict[tuple[str, str], Assertion]:
    """The active assertions that these words are about, by their bank and name."""
    banks, names = {each.word.about_origin for each in said}, {each.word.about for each in said}
    rows = Assertion.objects.filter(
        Q(origin=None) | Q(origin__in=list(present_peers().filter(bank_id__in=banks))), name__in=names, active=True
    ).select_related("origin")
    own = str(own_bank_id())
    return {(str(row.origin.bank_id) if row.origin else own, row.name): row for row in rows}


def forget_ended_sources() -> int:
    """Delete peers' sources that ended, once their signal is erased or stands for another reason; returns how many."""
    ended = Source.objects.filter(state=Source.State.ENDED, peer__isnull=False).exclude(
        record__status=LedgerRecord.Status.WITHDRAWN
    )
    sources = list(ended[:1000])
    with transaction.atomic():
        forget_sources(sources)
    return len(sources)
