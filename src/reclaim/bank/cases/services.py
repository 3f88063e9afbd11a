"""Writes on cases: one function, one transaction, one audit event."""

from __future__ import annotations

import datetime
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from reclaim.bank.cases import numbers, pins
from reclaim.bank.cases.models import Case, CaseSignal
from reclaim.bank.ledger.models import Source
from reclaim.bank.ledger.services import LedgerTransaction, locked_ledger
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event
from reclaim.sitekit.secrets import mac

MOST_SIGNALS = 500
ANSWER_LIFE = datetime.timedelta(minutes=15)


class ReceiptUsedError(Exception):
    """A case was made with this receipt, of other signals or too long ago to be told again."""


@dataclass(frozen=True)
class NewSignal:
    """A signal to put into the bank, already checked, and the number by which the person knows its picture."""

    number: int
    type: str
    value: str


@dataclass(frozen=True)
class NewCase:
    """What a person gets, once: the number (bare, 18 characters), the PIN and the case itself."""

    number: str
    pin: str
    case: Case


def create_case(signals: Sequence[NewSignal], receipt: str | None = None, actor: str = "person") -> NewCase:
    """Make a case with its first signals; raises ``ValueError`` for none or more than ``MOST_SIGNALS``.

    ``receipt`` is a random value that the asking page keeps (256 bits). If the answer is lost on its way, the page
    asks again with the same receipt and signals within 15 minutes, and is told the same number and PIN: there is no
    twin of the case that nobody could ever withdraw. Raises ``ReceiptUsedError`` otherwise.
    """
    if not signals:
        raise ValueError("A case needs at least one signal.")
    if len(signals) > MOST_SIGNALS:
        raise ValueError(f"A case takes at most {MOST_SIGNALS} signals at a time.")
    made = numbers.from_receipt(receipt or secrets.token_hex(32))
    number_mac = numbers.number_mac(made.number)
    answer_mac = mac("case-answer", repr([(signal.type, signal.value) for signal in signals]).encode())
    # Before the transaction: it takes a tenth of a second, and every other writer waits for the ledger.
    pin_hash = pins.hash_pin(made.number, made.pin)
    with locked_ledger() as ledger:
        case = Case.objects.filter(number_mac=number_mac).first()
        if case is not None:
            if not _may_be_told_again(case, answer_mac):
                raise ReceiptUsedError("A case was made with this receipt already.")
            audit.record(actor, "case.answer_again", f"case:{case.pk}")
            return NewCase(made.number, made.pin, case)
        case = Case.objects.create(
            number_mac=number_mac,
            pin_hash=pin_hash,
            answer_mac=answer_mac,
            answer_until=timezone.now() + ANSWER_LIFE,
        )
        _add_signals(ledger, case, signals)
        audit.record(actor, "case.create", f"case:{case.pk}")
    log_event("a case was made", signals=len(signals))
    return NewCase(made.number, made.pin, case)


def _may_be_told_again(case: Case, answer_mac: bytes) -> bool:
    if case.answer_until is None or case.answer_mac is None:
        return False
    return case.answer_until >= timezone.now() and hmac.compare_digest(bytes(case.answer_mac), answer_mac)


def _add_signals(ledger: LedgerTransaction, case: Case, signals: Iterable[NewSignal]) -> None:
    # The same picture twice is one signal, under the number that came first.
    for signal in {(signal.type, signal.value): signal for signal in reversed(list(signals))}.values():
        source = ledger.add_source(signal.type, signal.value)
        CaseSignal.objects.create(case=case, source=source, number=signal.number)


def withdraw(case: Case, picture_numbers: Iterable[int] | None = None, actor: str = "person") -> int:
    """Withdraw the pictures with these numbers, or all; returns how many were. Again is harmless.

    A signal that no other case holds becomes a tombstone in every feed before this returns.
    """
    with locked_ledger() as ledger:
        chosen = CaseSignal.objects.filter(case=case, withdrawn_on=None)
        if picture_numbers is not None:
            chosen = chosen.filter(number__in=list(picture_numbers))
        sources = list(Source.objects.filter(casesignal__in=chosen).select_related("record"))
        ledger.withdraw_sources(sources)
        withdrawn = CaseSignal.objects.filter(source__in=sources).update(withdrawn_on=timezone.now().date())
        if withdrawn:
            audit.record(actor, "case.withdraw", f"case:{case.pk}")
    log_event("pictures were withdrawn", signals=withdrawn)
    return withdrawn


def forget_answers() -> int:
    """Forget which answers could be told again, once they no longer can; returns how many."""
    return Case.objects.filter(answer_until__lt=timezone.now()).update(answer_mac=None, answer_until=None)
