"""The support directory is sourced, well formed and lately read.

python -m tools.check_directory     say what is wrong, and fail if anything is; name the rows to be read again
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from babel import Locale

from reclaim.bank.directory.queries import NUMBERS
from reclaim.bank.directory.services import SHOWN, Confidence, Service

LISTS = {"android.googlesource.com", "doc.didww.com", "github.com", "glama.ai", "huggingface.co", "pastebin.com"}
"""Where lists are that somebody keeps of other people's numbers: one of them alone states nothing."""

_PHONE = re.compile(r"\+?\d[\d -]{0,17}\d")
_CLOCK = re.compile(r"\d\d:\d\d–\d\d:\d\d")


def name_of(row: Service) -> str:
    """How a fault names a row."""
    return f"{row.country or 'everywhere'} {row.kind} {row.name or row.phone}"


def _faults_of(row: Service, today: date, names: Locale) -> Iterator[str]:
    if not row.sources or any(urlsplit(source).scheme not in ("http", "https") for source in row.sources):
        yield "names no source that is an address"
    if row.confidence not in (Confidence.STATED, Confidence.PARTLY):
        yield "is shown without a source to stand on"
    if row.confidence is Confidence.STATED:
        hosts = [urlsplit(source).netloc for source in row.sources]
        if len(row.sources) < 2 and LISTS.issuperset(hosts):
            yield "is called stated, and only one list says it"
    if row.read_on > today:
        yield "was read in the future"
    if row.country and (len(row.country) != 2 or row.country not in names.territories):
        yield "is in no country"
    if any(code not in names.languages for code in row.languages):
        yield "speaks a language that has no code"
    if row.phone and not _PHONE.fullmatch(row.phone):
        yield f"has a phone number that is none: {row.phone}"
    if (row.text and not row.text.isdecimal()) or (row.word and not row.text):
        yield "has a text number that is none"
    if row.address and not (row.address.startswith("https://") and row.host):
        yield f"has an address that is not https: {row.address}"
    if row.open and not (_CLOCK.fullmatch(row.open) and row.hours):
        yield "opens at no time of day, or on no day"
    if row.kind in NUMBERS:
        if not (row.country and row.phone) or row.slug or row.name or row.address:
            yield "is a number of a country, and no more"
    elif not re.fullmatch(r"(all|[a-z]{2})-\d+", row.slug):
        yield f"has a slug that may say something: {row.slug}"
    elif not row.name or not (row.phone or row.text or row.address):
        yield "has no name, or cannot be reached"


def faults(rows: Iterable[Service] = SHOWN, today: date | None = None) -> Iterator[str]:
    """What is wrong with these rows."""
    rows, names = list(rows), Locale("en")
    for row in rows:
        for fault in _faults_of(row, today or datetime.now(tz=UTC).date(), names):
            yield f"{name_of(row)} {fault}."
    for what in (
        Counter(row.slug for row in rows if row.slug),
        Counter(f"{row.kind} of {row.country}" for row in rows if row.kind in NUMBERS),
    ):
        yield from (f"{name} is there {times} times." for name, times in what.items() if times > 1)


def stale(today: date, rows: Iterable[Service] = SHOWN) -> list[Service]:
    """The rows that nobody has read again for a year."""
    return [row for row in rows if row.is_stale(today)]


def main() -> int:
    """Print what does not hold; 1 if anything is wrong. Rows to be read again are named, and are not wrong."""
    found, old = list(faults()), stale(datetime.now(tz=UTC).date())
    for fault in found:
        print(fault)
    for row in old:
        print(f"{name_of(row)} was read on {row.read_on}: please read its source again.")
    print(f"Directory: {len(SHOWN)} rows checked, {len(found)} faults, {len(old)} to be read again.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
