"""What a person is told of a case, ready for a page."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from reclaim.bank.cases.models import Case
from reclaim.bank.feedback.queries import PlatformReport, report


@dataclass(frozen=True)
class ToldPicture:
    """One picture: a number and two days, never anything of the picture itself."""

    number: int
    added_on: datetime.date
    withdrawn_on: datetime.date | None


@dataclass(frozen=True)
class ToldLine:
    """One thing that a platform did. ``what`` is a fixed word for programs, ``mark`` how the page colours it."""

    what: str
    sentence: str
    count: int
    mark: str


@dataclass(frozen=True)
class ToldPlatform:
    """One platform and what it did; what it did to no picture is left out."""

    name: str
    lines: list[ToldLine]


@dataclass(frozen=True)
class ToldCase:
    """All that the case page says."""

    pictures: list[ToldPicture]
    platforms: list[ToldPlatform]

    @property
    def in_place(self) -> list[ToldPicture]:
        """The pictures that platforms are asked to look for."""
        return [picture for picture in self.pictures if picture.withdrawn_on is None]


def told(case: Case) -> ToldCase:
    """Read a case and what every platform said of it."""
    rows = list(case.signals.select_related("source__record"))
    reports = report([row.source for row in rows])
    in_place = sum(row.withdrawn_on is None for row in rows)
    return ToldCase(
        [ToldPicture(row.number, row.added_on, row.withdrawn_on) for row in rows],
        [ToldPlatform(platform.name, list(_lines(platform, in_place))) for platform in reports],
    )


def _lines(report: PlatformReport, in_place: int) -> Iterator[ToldLine]:
    for line in (
        ToldLine("given", "Was given the fingerprints", report.has, ""),
        ToldLine("not-given", "Gets them the next time it asks us", in_place - report.has, "quiet"),
        ToldLine("reviewing", "Found something, a person there is looking", report.reviewing, ""),
        ToldLine("removed", "Removed it", report.removed, ""),
        ToldLine("kept", "A person there looked and left it up", report.kept, "warn"),
        ToldLine("withdrawal-taken", "Withdrawn: it has confirmed that", report.withdrawal_taken, ""),
        ToldLine("withdrawal-open", "Withdrawn: not yet confirmed", report.withdrawal_open, "warn"),
    ):
        if line.count:
            yield line
