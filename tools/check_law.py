"""The law is sourced, whole and lately read, and so is what is said of the convention.

python -m tools.check_law     say what is wrong, and fail if anything is; name the rows to be read again
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any

from reclaim.bank.law.laws import FACTS, FactsError, Law, is_place, is_source, law_from

FRESH = timedelta(days=365)
"""For how long a row counts as read lately."""
ARTICLES = {16, 25, 26, 27, 34, 40, 41, 53}
_SIGNED = re.compile(r"20\d\d-(0[1-9]|1[0-2])(-([0-2]\d|3[01]))?")


def _data(name: str) -> Any:
    return json.loads(files("reclaim.bank.directory").joinpath("data", name).read_text(encoding="utf-8"))


def _laws() -> Iterator[tuple[str, Law | FactsError]]:
    found = _data("laws.json")
    for row in found["rows"]:
        facts = {"read_on": found["read_on"]} | {name: value for name, value in row.items() if name != "key"}
        try:
            yield row["key"], law_from(row["key"], facts)
        except FactsError as error:
            yield row["key"], error


def _faults_of_treaty() -> Iterator[str]:
    found, today = _data("convention.json"), datetime.now(tz=UTC).date()
    sources = {row["key"]: row for row in found["sources"]}
    for key, row in sources.items():
        if not is_source(row["address"]) or date.fromisoformat(row["read_on"]) > today:
            yield f"convention, source {key}: no web page, or read in the future."
    if {row["number"] for row in found["articles"]} != ARTICLES:
        yield "convention: its articles are not those that matter here."
    for row in found["articles"]:
        if not row["asks"] or not row["helps"]:
            yield f"convention, article {row['number']}: says not what it asks, or not what helps."
    if any(row["source"] not in sources for row in found["facts"]):
        yield "convention: a fact names no source."
    for row in found["participants"]:
        if not is_place(row["place"]) or not _SIGNED.fullmatch(row["signed"]):
            yield f"convention, {row['place']}: no state, or no day or month."
        if not row["sources"] or any(key not in sources for key in row["sources"]):
            yield f"convention, {row['place']}: names no source."
    for place, times in Counter(row["place"] for row in found["participants"]).items():
        if times > 1:
            yield f"convention, {place} is there {times} times."


def faults() -> Iterator[str]:
    """What is wrong with the files, one sentence each."""
    tiles = _data("tiles.json")["tiles"]
    laws = list(_laws())
    for key, law in laws:
        if isinstance(law, FactsError):
            yield from (f"{key}, {name if name in FACTS else 'row'}: {fault}" for name, fault in law.faults.items())
        elif law.country not in tiles and law.country != "EU":
            yield f"{key}: {law.country} has no tile on the map; add it in tools/make_law_map.py."
    yield from (f"{key} is there {times} times." for key, times in Counter(key for key, _ in laws).items() if times > 1)
    if len({tuple(cell) for cell in tiles.values()}) != len(tiles):
        yield "Two countries stand on one tile."
    yield from _faults_of_treaty()


def stale(today: date) -> list[str]:
    """The keys of the rows that nobody has read again for a year."""
    return [key for key, law in _laws() if isinstance(law, Law) and today - law.read_on > FRESH]


def main() -> int:
    """Print what does not hold; 1 if anything is wrong. Rows to be read again are named, and are not wrong."""
    found, old = list(faults()), stale(datetime.now(tz=UTC).date())
    for fault in found:
        print(fault)
    for key in old:
        print(f"{key}: please read its sources again.")
    print(f"Law: {len(list(_laws()))} rows checked, {len(found)} faults, {len(old)} to be read again.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
