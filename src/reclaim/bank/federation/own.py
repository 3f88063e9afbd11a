"""What this bank says to other banks of what it has of its own: brought up to the ledger whenever somebody asks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from reclaim.bank.cases.models import CaseItem
from reclaim.bank.federation.clock import Counters, locked_statements
from reclaim.bank.feedback.models import Feedback
from reclaim.bank.feedback.queries import KeptFor
from reclaim.bank.ledger.models import BODIES, LedgerRecord, Source
from reclaim.bank.ledger.queries import standing
from reclaim.bank.peers.identity import own_bank_id, own_key
from reclaim.bank.peers.models import Assertion, Peer, StatementClock, Word
from reclaim.bank.peers.queries import present_peers
from reclaim.protocol import federation as wire
from reclaim.protocol.stopncii_v1 import FeedbackValue
from reclaim.sitekit.secrets import mac

_RECORDS_AT_ONCE = 1000
_DECISIONS = {
    FeedbackValue.BLOCKED.value: "blocked",
    FeedbackValue.NOT_BLOCKED.value: "not-blocked",
    FeedbackValue.PENDING_REVIEW.value: "pending",
}


@dataclass
class _Local:
    """What persons and platforms of this bank say of one signal."""

    quality: int | None = None
    made_with_ai: bool = False
    person: bool = False


def bring_up_to_date(most: int = 10 * _RECORDS_AT_ONCE) -> bool:
    """State what changed in the ledger, at most so many records of it; whether nothing is left.

    A bank without other banks states nothing.
    """
    if not present_peers().filter(kind=Peer.Kind.RECLAIM).exists():
        return True
    for _ in range(0, most, _RECORDS_AT_ONCE):
        read = StatementClock.objects.filter(pk=1).values_list("read_position", flat=True).first() or 0
        if standing().position <= read:
            return True
        _state_some()
    return False


def _state_some() -> None:
    with locked_statements() as counters:
        # Positions of the ledger become visible in their order, so nothing comes up behind the last one seen.
        changed = list(
            LedgerRecord.objects.filter(position__gt=counters.clock.read_position)
            .order_by("position")
            .defer(*BODIES)[:_RECORDS_AT_ONCE]
        )
        if changed:
            counters.clock.read_position = changed[-1].position
            real = [record for record in changed if record.only_for_id is None and not record.extra]
            _state_assertions(counters, real)
            _state_words(counters, real)


def _state_assertions(counters: Counters, records: Sequence[LedgerRecord]) -> None:
    keys = [record.pk for record in records]
    local = _local(keys)
    rows = {row.record_id: row for row in Assertion.objects.filter(origin=None, record__in=keys)}
    new, changed = [], []
    for record in records:
        said = local.get(record.pk) if record.status == LedgerRecord.Status.ACTIVE else None
        row = rows.get(record.pk)
        if said is not None:
            if row is None:
                row = Assertion(name=str(uuid.uuid4()), record=record, active=False)
                new.append(row)
            elif row.active and (row.quality, row.made_with_ai, row.person) == _facts(said):
                continue
            else:
                changed.append(row)
            row.active = True
            row.quality, row.made_with_ai, row.person = _facts(said)
        elif row is not None and row.active:
            changed.append(row)
            _end(row)
        else:
            continue
        _sign(counters, row, record)
    # Rows that were deleted with their case, before anybody asked.
    for row in Assertion.objects.filter(origin=None, active=True, record=None):
        _end(row)
        _sign(counters, row, None)
        changed.append(row)
    Assertion.objects.bulk_create(new)
    Word.objects.filter(about__in=[row.pk for row in changed if not row.active]).delete()
    Assertion.objects.bulk_update(
        changed, ["version", "active", "quality", "made_with_ai", "person", "signature", "position"]
    )


def _facts(said: _Local) -> tuple[int | None, bool, bool]:
    return said.quality, said.made_with_ai, said.person


def _end(row: Assertion) -> None:
    row.active, row.quality, row.made_with_ai, row.person = False, None, False, False


def _sign(counters: Counters, row: Assertion, record: LedgerRecord | None) -> None:
    row.version, row.position = counters.next_version(), counters.next_position()
    row.signature = assertion_statement(row, own_bank_id(), record).signed_by(own_key())


def assertion_statement(row: Assertion, bank_id: uuid.UUID, record: LedgerRecord | None) -> wire.Assertion:
    """The statement that a row of a Reclaim bank stands for; an active one takes its signal from the record."""
    if not row.active:
        return wire.Assertion(origin=str(bank_id), name=row.name, version=row.version, active=False)
    if record is None:
        raise ValueError("An active assertion has a signal.")
    return wire.Assertion.model_validate(
        {
            "origin": str(bank_id),
            "name": row.name,
            "version": row.version,
            "active": True,
            "type": record.type,
            "value": record.value,
            "frames": record.frames or [] if record.type == LedgerRecord.Type.VPDQ else [],
            "quality": row.quality,
            "made_with_ai": row.made_with_ai,
            "person": row.person,
        }
    )


def word_statement(row: Word, bank_id: uuid.UUID) -> wire.Word:
    """The statement that a row stands for (``about__origin`` loaded)."""
    about = row.about.origin.bank_id if row.about.origin else own_bank_id()
    return wire.Word.model_validate(
        {
            "origin": str(bank_id),
            "name": str(row.name),
            "version": row.version,
            "about_origin": str(about),
            "about": row.about.name,
            "platform": str(row.platform),
            "decision": row.decision,
            "reason": row.reason,
        }
    )


def _local(records: Sequence[int]) -> dict[int, _Local]:
    """What is said here, by record. Peers' words are not repeated: they are theirs, and come with their signature."""
    here = Source.objects.filter(record__in=records, state=Source.State.ACTIVE, peer=None)
    by_ai = Q(made_with_ai=True) | Q(casesignal__item__made_with_ai=CaseItem.MadeWithAi.YES)
    made_with_ai = set(here.filter(by_ai).values_list("record_id", flat=True))
    found: dict[int, _Local] = {}
    for key, platform, quality in here.values_list("record_id", "platform", "quality"):
        if key is None:
            continue
        said = found.setdefault(key, _Local(made_with_ai=key in made_with_ai))
        said.person = said.person or platform is None
        if quality is not None:
            said.quality = max(quality, said.quality or 0)
    return found


def _state_words(counters: Counters, records: Sequence[LedgerRecord]) -> None:
    keys = [record.pk for record in records if record.status == LedgerRecord.Status.ACTIVE]
    about: dict[int, Assertion] = {}
    signed = Assertion.objects.filter(record__in=keys, active=True, position__isnull=False).select_related("origin")
    # Our own assertion first; otherwise the peers' that is here the longest.
    for row in sorted(signed, key=lambda row: (row.origin_id is not None, row.pk)):
        if row.record_id is not None:
            about.setdefault(row.record_id, row)
    feedback = list(Feedback.objects.filter(record__in=list(about)))
    names = [_uuid("peer-word", said.platform_id, about[said.record_id].pk) for said in feedback]
    rows = {row.name: row for row in Word.objects.filter(origin=None, name__in=names).select_related("about__origin")}
    new: list[Word] = []
    changed: list[Word] = []
    for name, said in zip(names, feedback, strict=True):
        decision = _DECISIONS.get(said.value, "none")
        reason = str(KeptFor.of(said.tags)) if decision == "not-blocked" else ""
        word = rows.get(name)
        if word is None:
            if decision == "none":
                continue
            word = Word(name=name, about=about[said.record_id], platform=_uuid("peer-platform", said.platform_id))
            new.append(word)
        elif (word.decision, word.reason) == (decision, reason):
            continue
        else:
            changed.append(word)
        word.decision, word.reason = decision, reason
        word.version, word.position = counters.next_version(), counters.next_position()
        word.signature = word_statement(word, own_bank_id()).signed_by(own_key())
    Word.objects.bulk_create(new)
    Word.objects.bulk_update(changed, ["version", "decision", "reason", "signature", "position"])


def _uuid(purpose: str, *keys: int) -> uuid.UUID:
    """A name that nobody else can tie to anything."""
    return uuid.UUID(bytes=mac(purpose, b"".join(key.to_bytes(8, "big") for key in keys))[:16], version=4)
