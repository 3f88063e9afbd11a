"""Writes of the law: taking in the rows that come with Reclaim, editing one, and marking one as reviewed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from reclaim.bank.law.laws import FactsError, Law, facts_of, law_from, shipped_laws
from reclaim.bank.law.models import LawRow, LawVersion
from reclaim.sitekit import audit
from reclaim.sitekit.accounts.models import Member

MOST_WHY = 300


class NotNowError(Exception):
    """The row stands otherwise than whoever acts has seen, or they may not; the message says what to do."""


def sync_shipped() -> int:
    """Take in what the file has that the database has not, and say how many rows were added or changed.

    A row that a member ever wrote is theirs: the file changes it no more. Versions say who wrote them, and nobody
    wrote these, so there is no event of audit.
    """
    with transaction.atomic():
        rows = {row.key: row for row in LawRow.objects.select_related("latest")}
        shipped = {law.key: law for law in shipped_laws()}
        stale = [
            law
            for key, law in shipped.items()
            if key not in rows or (rows[key].latest.written_by_id is None and rows[key].latest.facts != facts_of(law))
        ]
        if not stale:
            return 0
        now = timezone.now()
        versions = LawVersion.objects.bulk_create(
            LawVersion(
                key=law.key,
                number=rows[law.key].latest.number + 1 if law.key in rows else 1,
                facts=facts_of(law),
                written_at=now,
                why="Came with Reclaim.",
            )
            for law in stale
        )
        LawRow.objects.bulk_create(
            LawRow(key=version.key, place=version.facts["place"], latest=version)
            for version in versions
            if version.key not in rows
        )
        for version in versions:
            if version.key in rows:
                LawRow.objects.filter(key=version.key).update(place=version.facts["place"], latest=version)
    return len(stale)


def _why(text: str) -> str:
    why = " ".join(text.split())
    if not why or len(why) > MOST_WHY or not why.isprintable():
        raise FactsError({"why": f"Say in at most {MOST_WHY} characters why you change it."})
    return why


def _write(law: Law, number: int, member: Member, why: str) -> LawVersion:
    return LawVersion.objects.create(
        key=law.key, number=number, facts=facts_of(law), written_by=member, written_at=timezone.now(), why=why
    )


def add_law(member: Member, key: str, facts: Mapping[str, Any], why: str) -> Law:
    """Write a row that was not there. Raises ``FactsError``."""
    law, reason = _checked(key, facts, why)
    taken = FactsError({"key": "A row with this key is there already."})
    try:
        with transaction.atomic():
            if LawRow.objects.filter(key=key).exists():
                raise taken
            LawRow.objects.create(key=key, place=law.place, latest=_write(law, 1, member, reason))
            audit.record(member.actor, "law.add", f"law:{key}")
    except IntegrityError as error:
        raise taken from error
    return law


def edit_law(member: Member, key: str, seen: int, facts: Mapping[str, Any], why: str) -> Law:
    """Write a new version of a row. ``seen`` is the number of the version that the writer has changed.

    Raises ``FactsError``, and ``NotNowError`` if somebody else was faster.
    """
    law, reason = _checked(key, facts, why)
    with transaction.atomic():
        row = LawRow.objects.select_for_update(of=("self",)).select_related("latest").get(key=key)
        if row.latest.number != seen:
            raise NotNowError("Somebody has changed this row since you opened it. Read it again, then change it.")
        if row.latest.facts == facts_of(law):
            raise NotNowError("Nothing is different from what the row says already.")
        row.latest, row.place = _write(law, seen + 1, member, reason), law.place
        row.save(update_fields=["latest", "place"])
        audit.record(member.actor, "law.edit", f"law:{key}")
    return law


def _checked(key: str, facts: Mapping[str, Any], why: str) -> tuple[Law, str]:
    faults: dict[str, str] = {}
    law, reason = None, ""
    try:
        law = law_from(key, facts)
    except FactsError as error:
        faults |= error.faults
    try:
        reason = _why(why)
    except FactsError as error:
        faults |= error.faults
    if law is None or faults:
        raise FactsError(faults)
    return law, reason


def review_law(member: Member, key: str, seen: int, words: str) -> None:
    """Mark a version as reviewed: by somebody else than who wrote it. ``words`` say who checked it against what.

    Raises ``NotNowError``; ``FactsError`` for words that cannot be taken.
    """
    said = " ".join(words.split())
    if not said or len(said) > MOST_WHY or not said.isprintable():
        raise FactsError({"review": f"Say in at most {MOST_WHY} characters who checked it, and against what."})
    with transaction.atomic():
        row = LawRow.objects.select_for_update(of=("self",)).select_related("latest").get(key=key)
        version = row.latest
        if version.number != seen:
            raise NotNowError("Somebody has changed this row since you opened it. Read it again, then review it.")
        if version.reviewed_at is not None:
            raise NotNowError("This version is reviewed already.")
        if version.written_by_id == member.pk:
            raise NotNowError("You wrote this version. Somebody else must review it.")
        if not law_from(key, version.facts).is_shown:
            raise NotNowError("This row has no source. Add one first: what nobody has sourced cannot be reviewed.")
        version.reviewed_by, version.reviewed_at, version.review = member, timezone.now(), said
        version.save(update_fields=["reviewed_by", "reviewed_at", "review"])
        audit.record(member.actor, "law.review", f"law:{key}")
