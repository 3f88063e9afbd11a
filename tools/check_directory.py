"""The support directory is sourced, well formed and lately read.

python -m tools.check_directory     say what is wrong, and fail if anything is; name the rows to be read again
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

from reclaim.bank.directory.checks import faults_of, name_of
from reclaim.bank.directory.rows import NUMBERS, SHOWN, Confidence, Service

LARGEST_NUMBER = 999
"""Of a slug in the files: an operator's own rows have larger ones."""


def faults(rows: Iterable[Service] = SHOWN, today: date | None = None) -> Iterator[str]:
    """What is wrong with these rows, which the files give to be shown."""
    rows = list(rows)
    for row in rows:
        for fault in faults_of(row, today or datetime.now(tz=UTC).date()):
            yield f"{name_of(row)} {fault}."
        if row.confidence is Confidence.MEMORY:
            yield f"{name_of(row)} is shown without a source to stand on."
        if row.slug and int(re.sub(r"\D", "", row.slug) or 0) > LARGEST_NUMBER:
            yield f"{name_of(row)} has a number that is kept for rows that operators add: {row.slug}."
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
