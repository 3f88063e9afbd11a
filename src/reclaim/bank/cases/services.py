"""Writes on cases: one function, one transaction, one audit event."""

from __future__ import annotations

import datetime
import hmac
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from django.db.models import Q
from django.utils import timezone

from reclaim.bank.cases import numbers, own_keys, pins
from reclaim.bank.cases.models import Answer, Case, CaseItem, CaseSignal
from reclaim.bank.ledger.models import BODIES_OF_RECORD, Source
from reclaim.bank.ledger.services import LedgerTransaction, forget_sources, locked_ledger
from reclaim.bank.placements import services as placements
from reclaim.bank.placements.services import NewPlacement
from reclaim.signals.descriptors import Placement, name_of, parse_descriptors
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event
from reclaim.sitekit.secrets import mac

MOST_ITEMS = 500
"""Pictures and videos in one sending."""
MOST_FRAMES = 10_000
"""Frames of all videos in one sending."""
MOST_IN_A_CASE = 1000
"""Pictures and videos of a case that are not withdrawn."""
ANSWER_LIFE = datetime.timedelta(minutes=15)
CASE_RETENTION = datetime.timedelta(days=90)
"""How long a case stays after its last picture or video was withdrawn."""

DESCRIPTORS = "descriptors"
FULL = "full"
"""Why an item is refused that would be one too many for its case."""


class ReceiptUsedError(Exception):
    """Something else was sent with this receipt, or the same too long ago to be answered again."""


class StagingError(ValueError):
    """This is a staging bank: nobody's signals may be put among the made-up ones, which anybody may have."""


@dataclass(frozen=True)
class NewSignal:
    """A signal to put into the bank, already checked. ``frames`` are the texts of a vPDQ, which ``value`` names."""

    type: str
    value: str
    frames: tuple[str, ...] = ()
    quality: int | None = None
    """Of a PDQ or source, 0 to 100, as the person's device measured it."""
    descriptors: bytes | None = None
    """The bytes of descriptors, which ``value`` names."""
    placement: Placement | None = None
    """Where the descriptors lie in the picture, in their order."""
    of_source: bool = False
    """Of descriptors: the picture is a source photograph."""


@dataclass(frozen=True)
class PictureSignals:
    """What is sent of one picture, each part already checked and screened.

    With ``source`` it is the clothed original of a deepfake: its PDQs become signals of type source, and its
    descriptors say that they are of one. Raises ``ValueError`` for descriptors without the placement of each, or that
    are none.
    """

    pdq: str
    """64 hexadecimal characters."""
    quality: int | None = None
    """0 to 100."""
    trimmed: tuple[str, int] | None = None
    """PDQ and quality of the picture without bars and captions."""
    descriptors: str | None = None
    """As ``reclaim.signals.descriptors`` writes them."""
    placement: Placement | None = None
    source: bool = False

    def signals(self) -> tuple[NewSignal, ...]:
        """The signals of its item: a trimmed picture's PDQ that is the same as the whole one's counts once."""
        kind = "source" if self.source else "pdq"
        pdqs = [(self.pdq, self.quality)]
        if self.trimmed is not None and self.trimmed[0] != self.pdq:
            pdqs.append(self.trimmed)
        signals = [NewSignal(kind, value, quality=quality) for value, quality in pdqs]
        if (self.descriptors is None) != (self.placement is None):
            raise ValueError("Descriptors come with the placement of each, and a placement with descriptors.")
        if self.descriptors is not None and self.placement is not None:
            signals.append(descriptors_signal(self.descriptors, self.placement, of_source=self.source))
        return tuple(signals)


def descriptors_signal(text: str, placement: Placement, *, of_source: bool = False) -> NewSignal:
    """Descriptors, as ``reclaim.signals.descriptors`` writes them, with their placement.

    Raises ``ValueError`` where they are none, or not as many as the places.
    """
    values = parse_descriptors(text)
    if len(placement.places) != len(values):
        raise ValueError("Each descriptor has one place.")
    return NewSignal(
        DESCRIPTORS,
        name_of(values),
        descriptors=values.tobytes(),
        placement=placement,
        of_source=of_source,
    )


@dataclass(frozen=True)
class NewItem:
    """A picture or video to put into a case, and its place in what was sent, from 1.

    With ``held_for`` (words of ``bank.screening``) none of its signals enters a feed before a person has looked.
    """

    number: int
    kind: str
    signals: tuple[NewSignal, ...]
    made_with_ai: str = CaseItem.MadeWithAi.UNSAID
    held_for: tuple[str, ...] = ()

    def names(self) -> list[tuple[str, str]]:
        """The type and value of each of its signals."""
        return [(signal.type, signal.value) for signal in self.signals]

    def names_beside(self, kind: str) -> list[tuple[str, str]]:
        """The same without those of this type."""
        return [name for name in self.names() if name[0] != kind]

    def only(self, kind: str) -> NewItem:
        """The same with its signals of this type and no others."""
        return replace(self, signals=tuple(signal for signal in self.signals if signal.type == kind))

    @classmethod
    def picture(
        cls, number: int, picture: str | PictureSignals, made_with_ai: str = CaseItem.MadeWithAi.UNSAID
    ) -> NewItem:
        """A picture with its signals, or with its PDQ alone."""
        sent = PictureSignals(picture) if isinstance(picture, str) else picture
        return cls(number, CaseItem.Kind.PICTURE, sent.signals(), made_with_ai)


@dataclass(frozen=True)
class Named:
    """An item by its place in what was sent, from 1, and the reason why it is held or refused."""

    number: int
    reason: str


@dataclass(frozen=True)
class Receipt:
    """A random value that the asking page keeps (256 bits), and all that it sent with it."""

    value: str
    content: bytes


@dataclass(frozen=True)
class Told:
    """What a page is told of what it sent. ``first`` is the number in the case of the first item sent, from 1;
    ``items`` counts what was taken, held ones among them."""

    first: int
    items: int
    held: list[Named]
    refused: list[Named]

    @classmethod
    def of(cls, answer: Answer) -> Told:
        """As it was kept."""
        kept = answer.told
        held, refused = ([Named(**named) for named in kept[which]] for which in ("held", "refused"))
        return cls(kept["first"], kept["items"], held, refused)


@dataclass(frozen=True)
class NewCase:
    """What a person gets, once: the number (bare, 18 characters), the PIN, the case itself, and what was taken."""

    number: str
    pin: str
    case: Case
    told: Told


def case_made_with(receipt: Receipt) -> NewCase | None:
    """The case that was made with this receipt, told again unchanged; ``None`` if there is none.

    Raises ``ReceiptUsedError``.
    """
    made = numbers.from_receipt(receipt.value)
    case = Case.objects.filter(number_mac=numbers.number_mac(made.number)).first()
    return NewCase(made.number, made.pin, case, _told_before(receipt, None)) if case else None


def added_with(receipt: Receipt, case: Case) -> Told | None:
    """What was told of items that were added to the case with this receipt; ``None`` if none were lately.

    Raises ``ReceiptUsedError`` where something else was sent with it.
    """
    answer = Answer.objects.filter(receipt_mac=_receipt_mac(receipt, case)).first()
    return _told_before(receipt, case) if answer else None


def create_case(
    items: Sequence[NewItem],
    refused: Sequence[Named] = (),
    receipt: Receipt | None = None,
    actor: str = "person",
) -> NewCase:
    """Make a case with its first items; raises ``ValueError`` for none or more than ``MOST_ITEMS``.

    ``refused`` are those that were sent and cannot be taken: their numbers stay free. If the answer is lost on its
    way, the page asks again with the same receipt and content within 15 minutes, and is told the same number and PIN:
    there is no twin of the case that nobody could ever withdraw. Raises ``ReceiptUsedError`` otherwise.
    """
    _check_count(items)
    made = numbers.from_receipt(receipt.value if receipt else secrets.token_hex(32))
    number_mac = numbers.number_mac(made.number)
    # Before the transaction: it takes a tenth of a second, and every other writer waits for the ledger.
    pin_hash = pins.hash_pin(made.number, made.pin)
    with locked_ledger() as ledger:
        case = Case.objects.filter(number_mac=number_mac).first()
        if case is not None and receipt is not None:
            told = _told_before(receipt, None)
            audit.record(actor, "case.answer_again", f"case:{case.pk}")
            return NewCase(made.number, made.pin, case, told)
        case = Case.objects.create(number_mac=number_mac, pin_hash=pin_hash)
        told = _add(ledger, case, items, refused)
        if receipt is not None:
            _keep_answer(receipt, None, case, told)
        audit.record(actor, "case.create", f"case:{case.pk}")
    log_event("a case was made", items=told.items, held=len(told.held))
    return NewCase(made.number, made.pin, case, told)


def add_to_case(
    case: Case,
    items: Sequence[NewItem],
    refused: Sequence[Named] = (),
    receipt: Receipt | None = None,
    actor: str = "person",
) -> Told:
    """Add items to a case; numbers go on from its last. What the case has already is not taken twice.

    Raises ``ValueError`` and ``ReceiptUsedError`` as ``create_case`` does; what would be too many for the case is
    among the refused.
    """
    _check_count(items)
    with locked_ledger() as ledger:
        # Read again: another page of the same person may have added meanwhile.
        case = Case.objects.get(pk=case.pk)
        if receipt is not None and Answer.objects.filter(receipt_mac=_receipt_mac(receipt, case)).exists():
            told = _told_before(receipt, case)
            audit.record(actor, "case.answer_again", f"case:{case.pk}")
            return told
        told = _add(ledger, case, items, refused)
        if receipt is not None:
            _keep_answer(receipt, case, case, told)
        audit.record(actor, "case.add", f"case:{case.pk}")
    log_event("items were added to a case", items=told.items, held=len(told.held))
    return told


def _check_count(items: Sequence[NewItem]) -> None:
    if not items:
        raise ValueError("A case needs at least one picture or video.")
    if len(items) > MOST_ITEMS:
        raise ValueError(f"A case takes at most {MOST_ITEMS} pictures and videos at a time.")


def _receipt_mac(receipt: Receipt, case: Case | None) -> bytes:
    return mac("case-receipt", f"{case.pk if case else 'new'}:{receipt.value}".encode())


def _content_mac(receipt: Receipt) -> bytes:
    return mac("case-content", receipt.content)


def _told_before(receipt: Receipt, case: Case | None) -> Told:
    answer = Answer.objects.filter(receipt_mac=_receipt_mac(receipt, case), until__gte=timezone.now()).first()
    if answer is None or not hmac.compare_digest(bytes(answer.content_mac), _content_mac(receipt)):
        raise ReceiptUsedError("This receipt was used already.")
    return Told.of(answer)


def _keep_answer(receipt: Receipt, named: Case | None, case: Case, told: Told) -> None:
    Answer.objects.create(
        receipt_mac=_receipt_mac(receipt, named),
        content_mac=_content_mac(receipt),
        case=case,
        told=asdict(told),
        until=timezone.now() + ANSWER_LIFE,
    )


def _add(ledger: LedgerTransaction, case: Case, items: Sequence[NewItem], refused: Sequence[Named]) -> Told:
    if ledger.synthetic:
        raise StagingError("This bank is for trying software: it protects nobody, and takes no case.")
    ledger.for_case = case.pk
    first = case.last_number + 1
    there = _ItemsThere(case)
    room = MOST_IN_A_CASE - len(there.rows)
    taken: list[tuple[NewItem, CaseItem]] = []
    completed: list[tuple[NewItem, CaseItem]] = []
    not_taken = list(refused)
    said: dict[int, CaseItem] = {}
    for item in items:
        same = there.with_all_of(item)
        if same is not None:
            # The same again is one item, in the place that it has. What is said of it now counts.
            if item.made_with_ai not in (CaseItem.MadeWithAi.UNSAID, same.made_with_ai):
                same.made_with_ai = item.made_with_ai
                if same.pk is not None:
                    said[same.pk] = same
        elif (lacking := there.lacking_descriptors(item)) is not None:
            # The person asks for descriptors of a picture or video that is there: still one item.
            described = item.only(DESCRIPTORS)
            completed.append((described, lacking))
            there.note(lacking, described.names())
        elif len(taken) == room:
            not_taken.append(Named(item.number, FULL))
        else:
            row = CaseItem(
                case=case,
                number=case.last_number + item.number,
                kind=item.kind,
                made_with_ai=item.made_with_ai,
                state=CaseItem.State.HELD if item.held_for else CaseItem.State.IN_PLACE,
                held_for=list(item.held_for),
            )
            taken.append((item, row))
            there.note(row, item.names())
    CaseItem.objects.bulk_create([row for _, row in taken])
    _put(ledger, [*taken, *completed])
    _say(ledger, said.values())
    case.last_number += max([item.number for item in items] + [named.number for named in refused])
    case.save(update_fields=["last_number"])
    held = [Named(item.number, item.held_for[0]) for item, _ in taken if item.held_for]
    return Told(first, len(taken), held, sorted(not_taken, key=lambda named: named.number))


class _ItemsThere:
    """The items of a case that have not ended, and which of them has which signal.

    Each item has a source of its own for each of its signals, so a signal that two items share lives as long as either.
    """

    def __init__(self, case: Case) -> None:
        self.rows = list(case.items.filter(state__in=_NOT_ENDED))
        by_key = {row.pk: row for row in self.rows}
        self._having: dict[tuple[str, str], list[CaseItem]] = defaultdict(list)
        self._described: set[int] = set()
        # Descriptors that were taken back alone may come again.
        standing = CaseSignal.objects.filter(item__in=by_key).exclude(source__state=Source.State.ENDED)
        signals = standing.values_list(
            "item", "source__record__type", "source__record__value", "source__held__type", "source__held__value"
        )
        for item, record_type, record_value, held_type, held_value in signals:
            self.note(by_key[item], [(record_type or held_type, record_value or held_value)])

    def note(self, row: CaseItem, signals: Iterable[tuple[str, str]]) -> None:
        """One more."""
        for signal in signals:
            self._having[signal].append(row)
            if signal[0] == DESCRIPTORS:
                self._described.add(row.number)

    def with_all_of(self, item: NewItem) -> CaseItem | None:
        """One that has every signal of this one; of descriptors, any: another browser may make slightly others."""
        others = item.names_beside(DESCRIPTORS)
        described = len(others) < len(item.signals)
        return next((row for row in self._with(others) if not described or row.number in self._described), None)

    def lacking_descriptors(self, item: NewItem) -> CaseItem | None:
        """One that has no descriptors, and every signal of this one but those."""
        others = item.names_beside(DESCRIPTORS)
        if len(others) == len(item.signals):
            return None
        fits = (row for row in self._with(others) if row.number not in self._described)
        return next((row for row in fits if row.state == CaseItem.State.HELD or not item.held_for), None)

    def _with(self, signals: Sequence[tuple[str, str]]) -> Iterator[CaseItem]:
        first, *others = [self._having.get(signal, []) for signal in signals]
        return (row for row in first if all(row in having for having in others))


def _put(ledger: LedgerTransaction, taken: Sequence[tuple[NewItem, CaseItem]]) -> None:
    signals = []
    placed = []
    for item, row in taken:
        add = ledger.hold_source if row.state == CaseItem.State.HELD else ledger.add_source
        for signal in item.signals:
            source = add(
                signal.type,
                signal.value,
                signal.frames,
                quality=signal.quality,
                descriptors=signal.descriptors,
                of_source=signal.of_source,
            )
            signals.append(CaseSignal(item=row, source=source))
            if signal.placement is not None:
                placed.append(NewPlacement(source.pk, signal.value, signal.placement))
    ledger.settle()
    CaseSignal.objects.bulk_create(signals)
    placements.keep(placed)


def _say(ledger: LedgerTransaction, rows: Collection[CaseItem]) -> None:
    """Save what a person says now of items that are there, and let their signals carry it into every feed."""
    if not rows:
        return
    CaseItem.objects.bulk_update(rows, ["made_with_ai"])
    for source in _sources([row.pk for row in rows]):
        if source.record is not None and source.active:
            ledger.touch(source.record)


_NOT_ENDED = (CaseItem.State.IN_PLACE, CaseItem.State.HELD)


def withdraw(case: Case, item_numbers: Iterable[int] | None = None, actor: str = "person") -> int:
    """Withdraw the items with these numbers, or all; returns how many were. Again is harmless.

    A signal that no other case holds becomes a tombstone in every feed before this returns; a held one is gone.
    """
    with locked_ledger() as ledger:
        chosen = CaseItem.objects.filter(case=case, state__in=_NOT_ENDED)
        if item_numbers is not None:
            chosen = chosen.filter(number__in=list(item_numbers))
        items = [item.pk for item in chosen]
        ledger.withdraw_sources(_sources(items))
        CaseItem.objects.filter(pk__in=items).update(
            state=CaseItem.State.WITHDRAWN, withdrawn_on=timezone.now().date(), held_for=[]
        )
        if items:
            audit.record(actor, "case.withdraw", f"case:{case.pk}")
    log_event("pictures or videos were withdrawn", items=len(items))
    return len(items)


def withdraw_descriptors(case: Case, actor: str = "person") -> int:
    """Withdraw the descriptors of all pictures and videos of the case, and nothing else; returns how many. Again is
    harmless."""
    with locked_ledger() as ledger:
        held = Source.objects.filter(casesignal__item__case=case).exclude(state=Source.State.ENDED)
        described = held.filter(Q(record__type=DESCRIPTORS) | Q(held__type=DESCRIPTORS))
        sources = list(described.select_related("record").defer(*BODIES_OF_RECORD))
        ledger.withdraw_sources(sources)
        if sources:
            audit.record(actor, "case.withdraw_descriptors", f"case:{case.pk}")
    log_event("descriptors were withdrawn", signals=len(sources))
    return len(sources)


def _sources(items: Sequence[int]) -> list[Source]:
    sources = Source.objects.filter(casesignal__item__in=items)
    return list(sources.select_related("record").defer(*BODIES_OF_RECORD))


def release_item(item: CaseItem, actor: str) -> bool:
    """Let a held item into the bank; ``False`` if it is held no longer."""
    with locked_ledger() as ledger:
        if not CaseItem.objects.filter(pk=item.pk, state=CaseItem.State.HELD).exists():
            return False
        ledger.for_case = item.case_id
        for source in _sources([item.pk]):
            # The person may have taken its descriptors back meanwhile.
            if source.state == Source.State.HELD:
                ledger.release_source(source)
        CaseItem.objects.filter(pk=item.pk).update(state=CaseItem.State.IN_PLACE, held_for=[])
        audit.record(actor, "item.release", f"item:{item.pk}")
    log_event("a held item was released")
    return True


def refuse_item(item: CaseItem, reason: CaseItem.Refusal, actor: str) -> bool:
    """Never let a held item into the bank, and forget its signals; ``False`` if it is held no longer."""
    with locked_ledger() as ledger:
        if not CaseItem.objects.filter(pk=item.pk, state=CaseItem.State.HELD).exists():
            return False
        ledger.withdraw_sources(_sources([item.pk]))
        CaseItem.objects.filter(pk=item.pk).update(
            state=CaseItem.State.REFUSED, refused_for=reason, refused_on=timezone.now().date(), held_for=[]
        )
        audit.record(actor, "item.refuse", f"item:{item.pk}")
    log_event("a held item was refused")
    return True


def end_mistaken(ledger: LedgerTransaction, items: Sequence[CaseItem]) -> None:
    """Take items out of the bank whose signals find something else than what was reported. Each person is told."""
    keys = [item.pk for item in items]
    ledger.withdraw_sources(_sources(keys))
    CaseItem.objects.filter(pk__in=keys, state=CaseItem.State.IN_PLACE).update(
        state=CaseItem.State.REFUSED, refused_for=CaseItem.Refusal.MISTAKEN, refused_on=timezone.now().date()
    )


def forget_answers() -> int:
    """Forget which answers could be told again, once they no longer can; returns how many."""
    deleted, _ = Answer.objects.filter(until__lt=timezone.now()).delete()
    return deleted


_ERASED_AT_ONCE = 10
"""Cases in one transaction, for whose end every other writer waits."""


def erase_ended_cases() -> int:
    """Erase each case whose every item was withdrawn or refused ``CASE_RETENTION`` ago or longer; returns how many.

    What the audit trail says of it stays, and names it no more.
    """
    end = timezone.now().date() - CASE_RETENTION
    ended = (
        Case.objects.exclude(items__state__in=_NOT_ENDED)
        .exclude(items__withdrawn_on__gt=end)
        .exclude(items__refused_on__gt=end)
    )
    erased = 0
    # Looked for before the lock is taken, and again under it: a person may add to her case meanwhile.
    while keys := list(ended.values_list("pk", flat=True)[:_ERASED_AT_ONCE]):
        with locked_ledger():
            cases = list(ended.filter(pk__in=keys))
            items = CaseItem.objects.filter(case__in=cases)
            sources = list(Source.objects.filter(casesignal__item__in=items))
            audit.forget("case", [case.pk for case in cases])
            audit.forget("item", list(items.values_list("pk", flat=True)))
            own_keys.forget(cases)
            Case.objects.filter(pk__in=[case.pk for case in cases]).delete()
            forget_sources(sources)
            audit.record("system", "case.erase", f"cases:{len(cases)}")
        erased += len(cases)
    if erased:
        log_event("cases were erased", cases=erased)
    return erased
