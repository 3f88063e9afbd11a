"""Anonymous numbers: what may leave an organisation. Nothing in them is about fewer than ``LEAST`` case files.

A count that is too small is not shown; nor is so much beside it that nobody can reckon it from the total. Periods are
whole quarters that have ended, so that two reports never differ by one week's case files.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from reclaim.bank.casework.models import CaseFile, Channel, Happened, Outcome, Police, Said, Stage
from reclaim.bank.casework.queries import visible_to
from reclaim.bank.organisations.models import Practitioner
from reclaim.sitekit import audit
from reclaim.sitekit.places import country_name

LEAST = 5
MOST_QUARTERS = 8
ALL = "All case files"


@dataclass(frozen=True)
class Quarter:
    """Three months: the first day, and the first day after."""

    first: datetime.date
    after: datetime.date

    @property
    def key(self) -> str:
        """For example «2026-Q3»."""
        return f"{self.first.year}-Q{self.first.month // 3 + 1}"


def quarters(today: datetime.date) -> list[Quarter]:
    """The quarters that have ended, the latest first."""
    after = datetime.date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    found = []
    for _ in range(MOST_QUARTERS):
        first = datetime.date(after.year - 1, 10, 1) if after.month == 1 else after.replace(month=after.month - 3)
        found.append(Quarter(first, after))
        after = first
    return found


@dataclass(frozen=True)
class Row:
    """One count; ``None`` if it is not shown."""

    name: str
    count: int | None

    @property
    def shown(self) -> str:
        """As a table says it."""
        return "not shown" if self.count is None else str(self.count)


@dataclass(frozen=True)
class Table:
    """Counts of one fact."""

    name: str
    rows: list[Row]


def suppressed(counts: Mapping[str, int], least: int = LEAST) -> dict[str, int | None]:
    """Counts that add up to a published total, without those from 1 to ``least - 1`` and without enough of the others
    that what is missing, taken together, is at least ``least`` and more than one count.

    Zeros stay: that nobody is somewhere is about nobody.
    """
    hidden = {name for name, count in counts.items() if 0 < count < least}
    rest = sorted((count, name) for name, count in counts.items() if count >= least)
    while hidden and rest and (len(hidden) < 2 or sum(counts[name] for name in hidden) < least):
        hidden.add(rest.pop(0)[1])
    return {name: None if name in hidden else count for name, count in counts.items()}


def alone(counts: Mapping[str, int], total: int, least: int = LEAST) -> dict[str, int | None]:
    """Counts that each stand alone beside a published total (a case file may be in several, or in none): neither those
    in one nor those not in it are fewer than ``least``."""
    return {
        name: count if count == 0 or (count >= least and (count == total or total - count >= least)) else None
        for name, count in counts.items()
    }


def numbers_of(practitioner: Practitioner, quarter: Quarter) -> list[Table]:
    """The numbers of a quarter, of the case files in scope; and the trace that somebody looked.

    A quarter with fewer than ``LEAST`` case files says nothing but that.
    """
    begins, ends = (
        datetime.datetime.combine(day, datetime.time(), datetime.UTC) for day in (quarter.first, quarter.after)
    )
    found = visible_to(practitioner).filter(opened_at__gte=begins, opened_at__lt=ends).order_by()
    total = found.count()
    audit.record(practitioner.actor, "casefiles.count", f"organisation:{practitioner.organisation_id}")
    if total < LEAST:
        return [Table(ALL, [Row("Opened", 0 if total == 0 else None)])]
    tables = [Table(ALL, [Row("Opened", total)])]
    for name, column, choices in (
        ("How they began", "channel", Channel.choices),
        ("Threatened or shared", "stage", Stage.choices),
        ("Made with AI", "made_with_ai", Said.choices),
        ("Police", "police", Police.choices),
        ("How they ended", "outcome", [("", "Not ended"), *Outcome.choices]),
    ):
        counts = _counts(found, column)
        shown = suppressed({label: counts.get(value, 0) for value, label in choices})
        tables.append(Table(name, [Row(label, count) for label, count in shown.items()]))
    by_country = {country_name(code) if code else "Not said": n for code, n in _counts(found, "country").items()}
    tables.append(Table("Countries", [Row(name, n) for name, n in sorted(suppressed(by_country).items())]))
    happened = _listed(found, "happened", Happened.values)
    labels = dict(Happened.choices)
    shown = alone({str(labels[value]): happened[value] for value in Happened.values}, total)
    tables.append(Table("What happened (a case file may have several)", [Row(name, n) for name, n in shown.items()]))
    return tables


def _counts(found: QuerySet[CaseFile], column: str) -> dict[str, int]:
    rows: Any = found.values(column).annotate(files=Count("pk")).values_list(column, "files")
    return dict(rows)


def _listed(found: QuerySet[CaseFile], column: str, values: Sequence[str]) -> dict[str, int]:
    # In Python: what is in a list is asked of each database in another way.
    counts = dict.fromkeys(values, 0)
    for row in found.values_list(column, flat=True).iterator(2000):
        for value in row:
            counts[value] += 1
    return counts
