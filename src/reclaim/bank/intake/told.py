"""What a person is told of a case, ready for a page."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reclaim.bank.cases.models import Case, CaseItem, CaseSignal
from reclaim.bank.feedback.queries import KeptFor, PlatformReport, report
from reclaim.bank.ledger.models import Source
from reclaim.bank.trust.queries import are_doubted


@dataclass(frozen=True)
class ToldItem:
    """One picture or video: a number, a kind, where it stands and since when; never anything of the item itself."""

    number: int
    name: str
    state: str
    day: datetime.date
    """Since when it stands there."""
    why: str
    """Why it was not taken, as a sentence; empty otherwise."""
    ordinary: bool = False
    """Whether it is a source photograph."""
    described: bool = False
    """Whether the bank holds descriptors of it."""

    @property
    def in_place(self) -> bool:
        """Whether platforms are asked to look for it."""
        return self.state == CaseItem.State.IN_PLACE

    @property
    def held(self) -> bool:
        """Whether a person at the bank looks at it first."""
        return self.state == CaseItem.State.HELD

    @property
    def refused(self) -> bool:
        """Whether it could not be taken."""
        return self.state == CaseItem.State.REFUSED

    @property
    def can_be_withdrawn(self) -> bool:
        """Whether there is anything of it in the bank."""
        return self.in_place or self.held


@dataclass(frozen=True)
class ToldLine:
    """One thing that a platform did. ``what`` is a fixed word for programs, ``mark`` how the page colours it."""

    what: str
    sentence: str
    count: int
    counted: str
    """The count with its noun: «3 pictures»."""
    mark: str


@dataclass(frozen=True)
class ToldPlatform:
    """One platform and what it did; what it did to no item is left out."""

    name: str
    lines: list[ToldLine]

    @property
    def silent(self) -> bool:
        """Whether it has said nothing of some item that it was given."""
        return any(line.what == "silent" for line in self.lines)


@dataclass(frozen=True)
class ToldCase:
    """All that the case page says."""

    items: list[ToldItem]
    platforms: list[ToldPlatform]
    doubted: bool
    """Whether platforms were not sure of something in it, by what they said since it came in."""

    @property
    def in_place(self) -> list[ToldItem]:
        """What platforms are asked to look for."""
        return [item for item in self.items if item.in_place]

    @property
    def held(self) -> list[ToldItem]:
        """What a person at the bank looks at first."""
        return [item for item in self.items if item.held]

    @property
    def described(self) -> bool:
        """Whether cut or changed copies of something in it are looked for."""
        return any(item.described for item in self.items)

    @property
    def can_be_withdrawn(self) -> list[ToldItem]:
        """What the person may withdraw."""
        return [item for item in self.items if item.can_be_withdrawn]

    @property
    def any_silent(self) -> bool:
        """Whether some platform has said nothing so far."""
        return any(platform.silent for platform in self.platforms)


def told(case: Case) -> ToldCase:
    """Read a case and what every platform said of it."""
    signals = CaseSignal.objects.select_related("source__record", "source__held")
    rows = list(case.items.prefetch_related(Prefetch("signals", signals)))
    sources = [[signal.source for signal in row.signals.all()] for row in rows]
    types = [{_type_of(source) for source in row if source.state != Source.State.ENDED} for row in sources]
    reports = report(sources)
    counted = _counter_of({row.kind for row in rows})
    return ToldCase(
        [_item(row, kinds) for row, kinds in zip(rows, types, strict=True)],
        [ToldPlatform(platform.name, list(_lines(platform, counted))) for platform in reports],
        are_doubted(source for each in sources for source in each),
    )


def item_name(kind: str, number: int) -> str:
    """«Picture 3», «Video 4»."""
    if kind == CaseItem.Kind.VIDEO:
        return _("Video %(number)d") % {"number": number}
    return _("Picture %(number)d") % {"number": number}


def _type_of(source: Source) -> str:
    kind: str = source.held.type if source.record is None else source.record.type
    return kind


def _item(row: CaseItem, types: set[str]) -> ToldItem:
    why = {
        CaseItem.Refusal.HARMLESS.value: _(
            "It looks like something that many people have, such as a logo or an empty picture. Websites would find "
            "other people's pictures with it."
        ),
        CaseItem.Refusal.UNCLEAR.value: _(
            "The person who looked could not be sure that it would find only this. You can ask a helper to send it "
            "with you."
        ),
        CaseItem.Refusal.MISTAKEN.value: _(
            "Websites found something else with it, so they do not look for it any more. If you think that this is "
            "wrong, you can ask a helper."
        ),
    }
    return ToldItem(
        row.number,
        item_name(row.kind, row.number),
        row.state,
        row.withdrawn_on or row.refused_on or row.added_on,
        why.get(row.refused_for, ""),
        ordinary="source" in types,
        described="descriptors" in types,
    )


def _counter_of(kinds: set[str]) -> Callable[[int], str]:
    """How items of these kinds are counted in words."""
    if kinds == {CaseItem.Kind.PICTURE}:
        return lambda n: ngettext("%(n)d picture", "%(n)d pictures", n) % {"n": n}
    if kinds == {CaseItem.Kind.VIDEO}:
        return lambda n: ngettext("%(n)d video", "%(n)d videos", n) % {"n": n}
    return lambda n: ngettext("%(n)d picture or video", "%(n)d pictures and videos", n) % {"n": n}


def _lines(report: PlatformReport, counted: Callable[[int], str]) -> Iterator[ToldLine]:
    kept: Counter[KeptFor] = report.kept
    for what, sentence, count, mark in (
        ("given", _("Was given the fingerprints"), report.given, ""),
        ("not-given", _("Gets them the next time it asks us"), report.not_given, "quiet"),
        ("reviewing", _("Found something, a person there is looking"), report.reviewing, ""),
        ("removed", _("Removed it"), report.removed, ""),
        (
            "kept-not-the-same",
            _("Not removed: a person there looked, and it was something else"),
            kept[KeptFor.NOT_THE_SAME],
            "warn",
        ),
        (
            "kept-not-intimate",
            _("Not removed: a person there did not find it intimate"),
            kept[KeptFor.NOT_INTIMATE],
            "warn",
        ),
        ("kept-allowed-here", _("Not removed: its rules allow it"), kept[KeptFor.ALLOWED_HERE], "warn"),
        ("kept-cannot-tell", _("Not removed: a person there could not tell"), kept[KeptFor.CANNOT_TELL], "warn"),
        ("kept-other", _("Not removed: for another reason"), kept[KeptFor.OTHER], "warn"),
        ("kept", _("Not removed: it did not say why"), kept[KeptFor.UNSAID], "warn"),
        ("silent", _("No answer so far"), report.silent, "quiet"),
        ("withdrawal-taken", _("Withdrawn: it has confirmed that"), report.withdrawal_taken, ""),
        ("withdrawal-open", _("Withdrawn: not yet confirmed"), report.withdrawal_open, "warn"),
        ("patches-taken", _("Patches taken back: it has confirmed that"), report.patches_taken, ""),
        ("patches-open", _("Patches taken back: not yet confirmed"), report.patches_open, "warn"),
    ):
        if count:
            yield ToldLine(what, sentence, count, counted(count), mark)
