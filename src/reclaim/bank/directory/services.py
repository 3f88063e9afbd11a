"""Writes on the directory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from reclaim.bank.directory.checks import faults_of
from reclaim.bank.directory.models import FACTS, Change, Entry, Standing
from reclaim.bank.directory.queries import forget_held, row_of_files
from reclaim.bank.directory.rows import NUMBERS, ROWS, Confidence, Service
from reclaim.bank.directory.texts import FactsError, row_of, texts_of
from reclaim.sitekit import audit

FIRST_OWN_NUMBER = 1000
"""Of the slugs of operators' rows; the data files stay below."""
LONGEST_REASON = 300
_CHECKED = {"read_on", "sources", "confidence"}
"""What a check changes of a row."""
_What = Change.What


class NotAllowedNowError(Exception):
    """What was asked for does not go with how the row is; the message says why, and what to do."""


def locked() -> Standing:
    """Where the directory stands, under the lock that every write takes: one writer at a time, in a transaction."""
    Standing.objects.get_or_create(pk=1)
    return Standing.objects.select_for_update().get(pk=1)


def moved() -> None:
    """Tell every process that something has changed; in the transaction of the change."""
    Standing.objects.filter(pk=1).update(version=F("version") + 1)
    transaction.on_commit(forget_held)


@lru_cache
def _digest_of_files() -> str:
    return hashlib.sha256(repr(ROWS).encode()).hexdigest()


def sync() -> int:
    """Take the data files of this version into the database; returns how many rows that added or changed.

    What an operator has written, checked or hidden stays as it is. A row that the files no longer have is hidden.
    """
    digest = _digest_of_files()
    if Standing.objects.filter(files=digest).exists():
        return 0
    with transaction.atomic():
        standing = locked()
        there = Entry.objects.in_bulk(field_name="key")
        added, changes = [], []
        for row in ROWS:
            entry = there.pop(row.key, None)
            if entry is None:
                added.append(_filled(Entry(key=row.key, state=_state_of(row)), row))
            elif not entry.edited and (facts := _differences(entry, row)):
                # Somebody here has looked later than the files say, and at the same words.
                if facts.keys() <= _CHECKED and row.read_on < entry.read_on:
                    continue
                _filled(entry, row).state = _state_of(row)
                entry.changed_by, entry.changed_at = "system", timezone.now()
                entry.save()
                changes.append(Change(entry=entry, by="system", what=_What.UPDATED, why="A new version", facts=facts))
        for entry in there.values():
            if not entry.edited and entry.state == Entry.State.SHOWN and not _is_own(entry):
                entry.state = Entry.State.HIDDEN
                entry.save(update_fields=["state"])
                changes.append(Change(entry=entry, by="system", what=_What.HIDDEN, why="A new version is without it"))
        Entry.objects.bulk_create(added)
        Change.objects.bulk_create(changes)
        standing.files = digest
        standing.save(update_fields=["files"])
        if added or changes:
            moved()
            audit.record("system", "directory.sync", "directory")
    return len(added) + len(changes)


def add(texts: Mapping[str, str], *, actor: str, why: str) -> Entry:
    """Add a row. Raises ``FactsError``, also if there is such a row already."""
    with transaction.atomic():
        locked()
        row = new_row(texts, set(Entry.objects.values_list("key", flat=True)), names_taken(), why)
        entry = _added(row, Entry.State.SHOWN, actor, why)
        moved()
        audit.record(actor, "directory.add", f"directory:{entry.key}")
    return entry


def edit(entry: Entry, texts: Mapping[str, str], *, actor: str, why: str) -> bool:
    """Write a row anew; whether anything is different now. Raises ``FactsError``."""
    with transaction.atomic():
        locked()
        entry.refresh_from_db()
        changed = _edited(entry, changed_row(entry, texts, why), actor, why)
        if changed:
            moved()
            audit.record(actor, "directory.edit", f"directory:{entry.key}")
    return changed


def take_from_files(entry: Entry, *, actor: str) -> None:
    """Give up what operators wrote in a row for what the data files say. Raises ``NotAllowedNowError``."""
    row = row_of_files(entry.key)
    if row is None:
        raise NotAllowedNowError("The data files have no such row.")
    with transaction.atomic():
        locked()
        entry.refresh_from_db()
        _edited(entry, row, actor, "The words of the data files", is_own=False)
        moved()
        audit.record(actor, "directory.edit", f"directory:{entry.key}")


def set_state(entry: Entry, state: Entry.State, *, actor: str, why: str) -> bool:
    """Hide a row, or show it again; ``False`` if it is so already. Raises ``FactsError`` without a reason."""
    _insist_on_reason(why)
    with transaction.atomic():
        locked()
        entry.refresh_from_db()
        if entry.state == state:
            return False
        entry.state, entry.edited = state, True
        entry.save(update_fields=["state", "edited"])
        what = _What.HIDDEN if state == Entry.State.HIDDEN else _What.SHOWN
        Change.objects.create(entry=entry, by=actor, what=what, why=why)
        moved()
        audit.record(actor, f"directory.{'hide' if what == _What.HIDDEN else 'show'}", f"directory:{entry.key}")
    return True


def check(entry: Entry, *, actor: str, source: str, confidence: str) -> None:
    """Note that somebody has read a source today and that it says what the row says.

    Raises ``NotAllowedNowError`` for whoever wrote the row, and ``FactsError``.
    """
    with transaction.atomic():
        locked()
        entry.refresh_from_db()
        if entry.changed_by == actor:
            raise NotAllowedNowError("You wrote this row. Ask somebody else to check it against its source.")
        others = [each for each in entry.sources if each != source]
        texts = texts_of(entry) | {
            "read_on": timezone.now().date().isoformat(),
            "sources": " ".join([source, *others][:10]),
            "confidence": confidence,
        }
        if len(source.split()) != 1 or confidence == Confidence.MEMORY:
            raise FactsError(["Give the address of one source, and say how far it stands behind the row."])
        row = changed_row(entry, texts, "checked")
        facts = _differences(entry, row)
        _filled(entry, row).save()
        why = f"Read at {urlsplit(source).netloc}"[:LONGEST_REASON]
        Change.objects.create(entry=entry, by=actor, what=_What.CHECKED, why=why, facts=facts)
        moved()
        audit.record(actor, "directory.check", f"directory:{entry.key}")


def new_row(texts: Mapping[str, str], keys: set[str], names: set[tuple[str, str, str]], why: str) -> Service:
    """The row that these texts would add, beside rows with these keys and names. Raises ``FactsError``."""
    _insist_on_reason(why)
    country = texts["country"].lower() or "all"
    slug = "" if texts["kind"] in NUMBERS else _free_slug(country, keys)
    row = _checked(row_of(texts, slug))
    if row.key in keys or _name_of(row) in names:
        raise FactsError(["There is such a row already. Change that one."])
    return row


def changed_row(entry: Entry, texts: Mapping[str, str], why: str) -> Service:
    """What a row would be with these texts. Raises ``FactsError``."""
    _insist_on_reason(why)
    row = row_of(texts, entry.service.slug)
    if row.country != entry.country or row.key != entry.key:
        raise FactsError(["The country of a row stays as it is. Hide this row, and add another."])
    return _checked(row)


def names_taken() -> set[tuple[str, str, str]]:
    """Country, kind and name of every row that has a name, as ``new_row`` compares them."""
    rows = Entry.objects.exclude(name="").values_list("country", "kind", "name")
    return {(country, kind, name.casefold()) for country, kind, name in rows}


def apply(
    added: Iterable[tuple[Service, str]], changed: Iterable[tuple[Entry, Service, str]], *, actor: str, why: str
) -> None:
    """Write the rows of an import, each with the state that it is to have; the caller holds ``locked``.

    Raises ``FactsError`` without a reason.
    """
    _insist_on_reason(why)
    for row, state in added:
        _added(row, Entry.State(state), actor, why)
    for entry, row, state in changed:
        entry.state = Entry.State(state)
        _edited(entry, row, actor, why)
    moved()
    audit.record(actor, "directory.import", "directory")


def _name_of(row: Service) -> tuple[str, str, str]:
    return row.country, row.kind, row.name.casefold()


def _insist_on_reason(why: str) -> None:
    if not 1 <= len(why.strip()) <= LONGEST_REASON or not why.isprintable():
        raise FactsError([f"Say in up to {LONGEST_REASON} characters why."])


def _checked(row: Service) -> Service:
    faults = [f"This row {fault}." for fault in faults_of(row, timezone.now().date())]
    if faults:
        raise FactsError(faults)
    return row


def _free_slug(country: str, keys: set[str]) -> str:
    numbers = [
        int(number)
        for place, _, number in (key.partition("-") for key in keys)
        if place == country and number.isdecimal()
    ]
    return f"{country}-{max([FIRST_OWN_NUMBER - 1, *numbers]) + 1}"


def _is_own(entry: Entry) -> bool:
    number = entry.key.partition("-")[2]
    return number.isdecimal() and int(number) >= FIRST_OWN_NUMBER


def _state_of(row: Service) -> Entry.State:
    return Entry.State.HIDDEN if row.confidence is Confidence.MEMORY else Entry.State.SHOWN


def _filled(entry: Entry, row: Service) -> Entry:
    for fact in FACTS:
        value = getattr(row, fact)
        if isinstance(value, tuple):
            value = list(value)
        elif isinstance(value, StrEnum):
            value = value.value
        setattr(entry, fact, "" if value is None else value)
    return entry


def _differences(entry: Entry, row: Service) -> dict[str, list[str]]:
    was, now = texts_of(entry), texts_of(row)
    return {fact: [was[fact], now[fact]] for fact in FACTS if was[fact] != now[fact]}


def _added(row: Service, state: Entry.State, actor: str, why: str) -> Entry:
    entry = _filled(Entry(key=row.key, state=state, edited=True, changed_by=actor), row)
    entry.save()
    Change.objects.create(entry=entry, by=actor, what=_What.ADDED, why=why)
    return entry


def _edited(entry: Entry, row: Service, actor: str, why: str, *, is_own: bool = True) -> bool:
    facts = _differences(entry, row)
    was_hidden = Entry.objects.values_list("state", flat=True).get(pk=entry.pk) == Entry.State.HIDDEN
    is_hidden = entry.state == Entry.State.HIDDEN
    if not facts and was_hidden == is_hidden and entry.edited == is_own:
        return False
    _filled(entry, row).edited = is_own
    entry.changed_by, entry.changed_at = actor, timezone.now()
    entry.save()
    if was_hidden != is_hidden:
        Change.objects.create(entry=entry, by=actor, what=_What.HIDDEN if is_hidden else _What.SHOWN, why=why)
    if facts:
        Change.objects.create(entry=entry, by=actor, what=_What.EDITED, why=why, facts=facts)
    return True
