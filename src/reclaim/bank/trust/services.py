"""Writes on trust: reckoned whenever a record is written, and corrected by staff."""

from __future__ import annotations

from django.db.models import Max

from reclaim.bank.cases.models import CaseItem
from reclaim.bank.cases.services import end_mistaken
from reclaim.bank.feedback.models import Feedback
from reclaim.bank.ledger.models import BODIES, LedgerRecord, Source
from reclaim.bank.ledger.services import LedgerTransaction, locked_ledger
from reclaim.bank.trust.models import Correction
from reclaim.bank.trust.queries import brought, corrections, rejected_signals, words_on
from reclaim.bank.trust.score import score
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event

_AT_ONCE = 500


def reckon(ledger: LedgerTransaction) -> None:
    """Reckon the trust of every record that is about to be written.

    All that trust rests on moves the record when it changes, so it is never behind, and the change is in every feed
    with it. As many statements whatever the bank knows of a value.
    """
    records = ledger.moving
    values = {record.value for record in records if record.value is not None}
    by_source = brought(values, ledger.going)
    for source in ledger.coming:
        if source.record is not None and source.record.value is not None:
            case = ledger.for_case if ledger.for_case is not None else "this transaction's"
            name = (source.record.type, source.record.value)
            by_source[name].note(case, source.platform_id, source.peer_id, source.quality)
    decided = corrections(values)
    said = words_on(values, decided)
    for record in records:
        name = (record.type, record.value or "")
        correction, words = decided.get(name), said[name]
        record.trust = score(by_source[name].with_words(words))
        record.review_only = words.doubted or (
            correction is not None and correction.decision != Correction.Decision.RESTORE
        )


def correct(record_key: int, decision: Correction.Decision, actor: str) -> bool:
    """Decide on a signal that platforms reject, for every platform; ``False`` if there is nothing to decide any more.

    ``WITHDRAW`` ends what had brought the signal in before a platform last rejected it, and each person whose it was is
    told. A report that came later stays, for review only: nobody has said anything of it.
    """
    with locked_ledger() as ledger:
        record = rejected_signals().filter(pk=record_key).defer(*BODIES).first()
        if record is None:
            return False
        Correction.objects.update_or_create(
            record=record, defaults={"decision": decision, "position": ledger.position, "by": actor}
        )
        if decision == Correction.Decision.WITHDRAW:
            _withdraw(ledger, record)
        ledger.touch(record)
        audit.record(actor, f"signal.{decision.value}", f"signal:{record.pk}")
    log_event("a signal was corrected", decision=decision.value)
    return True


def _withdraw(ledger: LedgerTransaction, record: LedgerRecord) -> None:
    last = Feedback.objects.filter(record=record).aggregate(last=Max("said_position"))["last"] or 0
    sources = Source.objects.filter(record=record, state=Source.State.ACTIVE, added_position__lte=last)
    items = list(CaseItem.objects.filter(signals__source__in=sources).distinct())
    others = list(sources.filter(casesignal=None).select_related("record"))
    # All of an item goes: its other signals were made from the same picture or video.
    end_mistaken(ledger, items)
    ledger.withdraw_sources(others)


def reconsider() -> int:
    """Let signals be trusted again that are doubted only by the word of a platform that has lost its access; returns
    how many."""
    doubted = LedgerRecord.objects.filter(
        status=LedgerRecord.Status.ACTIVE, review_only=True, feedback__platform__revoked_at__isnull=False
    )
    found = list(doubted.defer(*BODIES).distinct()[:_AT_ONCE])
    values = [record.value or "" for record in found]
    decided = corrections(values)
    said = words_on(values, decided)
    wrong = [
        record
        for record in found
        if not said[record.type, record.value or ""].doubted and (record.type, record.value) not in decided
    ]
    if wrong:
        with locked_ledger() as ledger:
            for record in LedgerRecord.objects.filter(pk__in=[each.pk for each in wrong]).defer(*BODIES):
                ledger.touch(record)
            audit.record("system", "signals.reconsider", f"signals:{len(wrong)}")
        log_event("signals are trusted again", signals=len(wrong))
    return len(wrong)
