"""Writes on cases: one function, one transaction, one audit event."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from reclaim.bank.cases import numbers, pins
from reclaim.bank.cases.models import Case, CaseSignal
from reclaim.bank.ledger.models import LedgerRecord, Source
from reclaim.bank.ledger.services import LedgerTransaction, locked_ledger
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event
from reclaim.sitekit.secrets import mac

MOST_SIGNALS = 500
RECEIPT_LIFE = datetime.timedelta(minutes=15)


@dataclass(frozen=True)
class NewSignal:
    """A signal to put into the bank, already checked."""

    type: str
    value: str


@dataclass(frozen=True)
class NewCase:
    """What a person gets, once: the number (bare, 18 characters), the PIN and the case itself."""

    number: str
    pin: str
    case: Case


def _add_signals(ledger: LedgerTransaction, case: Case, signals: Iterable[NewSignal]) -> None:
    # The same picture twice is one signal; dict keeps the order in which the person chose them.
    for number, signal in enumerate(dict.fromkeys(signals), start=1):
        source = ledger.add_source(signal.type, signal.value)
        CaseSignal.objects.create(case=case, source=source, number=number)


def create_case(signals: Sequence[NewSignal], receipt: str | None = None, actor: str = "person") -> NewCase:
    """Make a case with its first signals; raises ``ValueError`` for none or more than ``MOST_SIGNALS``.

    ``receipt`` is a random value the asking page keeps. If the answer is lost on its way, the page asks again with
    the same receipt within 15 minutes: the case gets a new number and PIN, instead of a twin that nobody could ever
    withdraw.
    """
    if not signals:
        raise ValueError("A case needs at least one signal.")
    if len(signals) > MOST_SIGNALS:
        raise ValueError(f"A case takes at most {MOST_SIGNALS} signals at a time.")
    number, pin = numbers.new_number(), numbers.new_pin()
    secrets = {"number_mac": numbers.number_mac(number), "pin_hash": pins.hash_pin(number, pin)}
    receipt_mac = mac("case-receipt", receipt.encode()) if receipt else None
    with locked_ledger() as ledger:
        case = (
            Case.objects.filter(receipt_mac=receipt_mac, receipt_until__gt=timezone.now()).first() if receipt else None
        )
        if case is not None and _has_just(case, signals):
            Case.objects.filter(pk=case.pk).update(**secrets)
            audit.record(actor, "case.answer_again", f"case:{case.pk}")
        else:
            # A receipt used again for other signals is a page's mistake: the case is made without one.
            case = Case.objects.create(
                **secrets,
                receipt_mac=receipt_mac if case is None else None,
                receipt_until=timezone.now() + RECEIPT_LIFE,
            )
            _add_signals(ledger, case, signals)
            audit.record(actor, "case.create", f"case:{case.pk}")
    log_event("a case was made", signals=len(signals))
    return NewCase(number, pin, case)


def _has_just(case: Case, signals: Sequence[NewSignal]) -> bool:
    held = {(record.type, record.value) for record in LedgerRecord.objects.filter(sources__casesignal__case=case)}
    return held == {(signal.type, signal.value) for signal in signals}


def withdraw(case: Case, picture_numbers: Iterable[int] | None = None, actor: str = "person") -> int:
    """Withdraw the pictures with these numbers, or all; returns how many were. Again is harmless.

    A signal that no other source holds becomes a tombstone in every feed before this returns.
    """
    with locked_ledger() as ledger:
        chosen = CaseSignal.objects.filter(case=case, withdrawn_at=None)
        if picture_numbers is not None:
            chosen = chosen.filter(number__in=list(picture_numbers))
        sources = list(Source.objects.filter(casesignal__in=chosen).select_related("record"))
        ledger.withdraw_sources(sources)
        withdrawn = CaseSignal.objects.filter(source__in=sources).update(withdrawn_at=timezone.now())
        if withdrawn:
            audit.record(actor, "case.withdraw", f"case:{case.pk}")
    log_event("pictures were withdrawn", signals=withdrawn)
    return withdrawn


def forget_receipts() -> int:
    """Forget receipts that can no longer be used; returns how many."""
    return Case.objects.filter(receipt_until__lt=timezone.now()).update(receipt_mac=None, receipt_until=None)
