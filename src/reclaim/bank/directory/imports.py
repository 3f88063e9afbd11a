"""The directory as a CSV file: out, and in again after somebody has seen what that would change.

A file is taken in wholly or not at all. A row with a key changes that row, a row without one is new; columns that the
file does not have stay as they are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from reclaim.bank.directory.models import FACTS, Entry
from reclaim.bank.directory.queries import entries
from reclaim.bank.directory.rows import Service
from reclaim.bank.directory.services import apply, changed_row, locked, names_taken, new_row
from reclaim.bank.directory.texts import FactsError, texts_of
from reclaim.sitekit import audit, csvs

COLUMNS = ("key", *FACTS, "state")
REQUIRED = ("key", "country", "kind")
_STATES = tuple(Entry.State.values)
_WHY_NOT_YET = "an import"


class ChangedMeanwhileError(Exception):
    """The directory is no longer as it was when the plan was shown."""


@dataclass
class Plan:
    """What a file would do. Numbers of rows are those of the file."""

    new: list[tuple[int, Service, str]] = field(default_factory=list)
    """Row, what it says, its state."""
    changed: list[tuple[int, Entry, Service, str, dict[str, list[str]]]] = field(default_factory=list)
    """Row, the entry, what it is to say, its state, and of each fact that changes what it was and is."""
    same: int = 0
    refused: list[csvs.Fault] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Names the plan: the same file on the same directory gives the same."""
        said: list[Any] = [(n, row, state) for n, row, state in self.new]
        said += [(n, entry.key, state, facts) for n, entry, _, state, facts in self.changed]
        return hashlib.sha256(repr((said, self.same, self.refused)).encode()).hexdigest()

    @property
    def changes_something(self) -> bool:
        """Whether there is anything to apply."""
        return bool(self.new or self.changed)


def exported(actor: str) -> bytes:
    """Every row of the directory as CSV; the export is in the audit trail."""
    audit.record(actor, "directory.export", "directory")
    rows = ({"key": entry.key, **texts_of(entry), "state": entry.state} for entry in entries().iterator())
    return csvs.write(COLUMNS, rows)


def plan(data: bytes) -> Plan:
    """What a CSV file would change. Raises ``csvs.CsvError``."""
    table = csvs.read(data, COLUMNS, REQUIRED)
    there = Entry.objects.in_bulk(field_name="key")
    keys, names, seen = set(there), names_taken(), set[str]()
    made = Plan(refused=list(table.faults))
    for row in table.rows:
        try:
            _plan_row(made, row, there, keys, names, seen)
        except FactsError as error:
            made.refused.append(csvs.Fault(row.number, str(error)))
    made.refused.sort(key=lambda fault: fault.row)
    return made


def apply_plan(data: bytes, digest: str, *, actor: str, why: str) -> Plan:
    """Do what ``plan`` showed, wholly or not at all.

    Raises ``ChangedMeanwhileError`` if it would do something else by now, ``FactsError`` if a row is refused or no
    reason is given, and ``csvs.CsvError``.
    """
    with transaction.atomic():
        locked()
        made = plan(data)
        if made.refused:
            raise FactsError([f"{len(made.refused)} rows cannot be taken in. Mend them; nothing was changed."])
        if made.digest != digest:
            raise ChangedMeanwhileError
        if made.changes_something:
            apply(
                [(row, state) for _, row, state in made.new],
                [(entry, row, state) for _, entry, row, state, _ in made.changed],
                actor=actor,
                why=why,
            )
    return made


def _plan_row(
    made: Plan, row: csvs.Row, there: dict[str, Entry], keys: set[str], names: set[tuple[str, str, str]], seen: set[str]
) -> None:
    key, state = row.fields["key"], row.fields.get("state", "")
    if state not in ("", *_STATES):
        raise FactsError([f"«state» is one of: {', '.join(_STATES)}."])
    if not key:
        texts = dict.fromkeys(FACTS, "") | _facts(row)
        new = new_row(texts, keys, names, _WHY_NOT_YET)
        keys.add(new.key)
        names.add((new.country, new.kind, new.name.casefold()))
        made.new.append((row.number, new, state or Entry.State.SHOWN.value))
        return
    entry = there.get(key)
    if entry is None:
        raise FactsError(["There is no row with this key. Leave the key empty for a new row."])
    if key in seen:
        raise FactsError([f"The key {key} is in this file twice. Keep one of the two rows."])
    seen.add(key)
    was = texts_of(entry)
    changed = changed_row(entry, was | _facts(row), _WHY_NOT_YET)
    facts = {fact: [was[fact], now] for fact, now in texts_of(changed).items() if was[fact] != now}
    if state and state != entry.state:
        facts["state"] = [entry.state, state]
    if facts:
        made.changed.append((row.number, entry, changed, state or entry.state, facts))
    else:
        made.same += 1


def _facts(row: csvs.Row) -> dict[str, str]:
    return {fact: text for fact, text in row.fields.items() if fact in FACTS}
