"""Ledger records as version 2 of the wire has them, many at a time: a handful of statements however many there are."""

from __future__ import annotations

import datetime
from base64 import b64encode
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db.models import Count, QuerySet

from reclaim.bank.cases.models import CaseItem
from reclaim.bank.feedback.models import Feedback
from reclaim.bank.feedback.queries import acknowledge_by
from reclaim.bank.ledger.models import LedgerRecord, Source
from reclaim.bank.peers.queries import peers_words
from reclaim.protocol.native_v2 import OF_A_SOURCE
from reclaim.protocol.stopncii_v1 import MADE_WITH_AI, FeedbackValue

PERSON, PLATFORM, BANK = "person", "platform", "bank:"


@dataclass
class Brought:
    """Who brought a signal, as far as platforms are told, how good it is, and what they say of it."""

    names: list[str] = field(default_factory=list)
    """Sorted."""
    quality: int | None = None
    labels: list[str] = field(default_factory=list)


def brought_by(records: QuerySet[LedgerRecord]) -> defaultdict[int, Brought]:
    """Who brought each of these records, by key. One statement, in which no list of keys need be sent."""
    brought: defaultdict[int, Brought] = defaultdict(Brought)
    sources = Source.objects.filter(record__in=records.values("pk"), state=Source.State.ACTIVE)
    rows = sources.values_list(
        "record", "platform", "peer__name", "quality", "made_with_ai", "casesignal__item__made_with_ai", "of_source"
    )
    by_ai: set[int] = set()
    of_source: dict[int, bool] = {}
    for key, platform, peer, quality, made_with_ai, said_by_person, source in rows:
        known = brought[key or 0]
        # Whoever brings the same picture and does not call it a source photograph wants it found as it is.
        of_source[key or 0] = source and of_source.get(key or 0, True)
        name = PLATFORM if platform else f"{BANK}{peer}" if peer else PERSON
        if name not in known.names:
            known.names = sorted([*known.names, name])
        if quality is not None:
            known.quality = max(quality, known.quality or 0)
        if made_with_ai or said_by_person == CaseItem.MadeWithAi.YES:
            by_ai.add(key or 0)
    for key, known in brought.items():
        known.labels = [*([MADE_WITH_AI] if key in by_ai else []), *([OF_A_SOURCE] if of_source[key] else [])]
    return brought


_NO_DECISIONS = {"blocked": 0, "not_blocked": 0}


def decisions_on(records: QuerySet[LedgerRecord]) -> defaultdict[int, dict[str, int]]:
    """How many platforms decided on each of these records, and how, by key; other banks' platforms among them."""
    decided = (FeedbackValue.BLOCKED.value, FeedbackValue.NOT_BLOCKED.value)
    words = Feedback.objects.filter(record__in=records.values("pk"), value__in=decided).values("record", "value")
    said: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for row in words.annotate(platforms=Count("pk")).order_by():
        said[row["record"]][row["value"]] = row["platforms"]
    for key, value in peers_words(records, {"blocked": decided[0], "not-blocked": decided[1]}):
        said[key][value] = said[key].get(value, 0) + 1
    decisions: defaultdict[int, dict[str, int]] = defaultdict(lambda: _NO_DECISIONS)
    for key, counts in said.items():
        decisions[key] = {"blocked": counts.get(decided[0], 0), "not_blocked": counts.get(decided[1], 0)}
    return decisions


@lru_cache(maxsize=10_000)
def hour_of(second: int) -> datetime.datetime:
    """The hour that an epoch second lies in."""
    return datetime.datetime.fromtimestamp(second - second % 3600, datetime.UTC)


def wire_records(
    records: Sequence[LedgerRecord], among: QuerySet[LedgerRecord], least_trust: int, *, sources: bool
) -> list[dict[str, Any]]:
    """These records as ``native_v2.Record`` has them, to be written as JSON; ``among`` are those that they are from.

    A signal that is trusted less than ``least_trust`` is told as withdrawn, so that copies of it go; so are descriptors
    of a source photograph to a platform that may not have ``sources``. Not made into models, which would take more time
    than all the rest of a page; the tests read every page as such.
    """
    brought, decisions = brought_by(among), decisions_on(among)
    told = []
    for record in records:
        by = brought[record.pk]
        hidden = "trust" if record.trust < least_trust else ""
        if not sources and OF_A_SOURCE in by.labels:
            hidden = "sources"
        told.append(_wire_record(record, by, decisions[record.pk], hidden))
    return told


def _wire_record(record: LedgerRecord, brought: Brought, decisions: dict[str, int], hidden: str) -> dict[str, Any]:
    given: dict[str, Any] = {
        "type": record.type,
        "value": record.value,
        "status": "active",
        "changed_at": hour_of(record.modified_at),
        "quality": brought.quality,
        "labels": brought.labels,
        "provenance": brought.names,
        "trust": record.trust,
        "action": "review" if record.for_review else "block",
        "decisions": decisions,
    }
    if record.status == LedgerRecord.Status.WITHDRAWN and record.withdrawn_at is not None:
        given["acknowledge_by"] = acknowledge_by(record.withdrawn_at).replace(microsecond=0)
    elif hidden:
        given["because"] = hidden
    elif record.frames:
        given["frames"] = record.frames
    elif record.descriptors:
        given["descriptors"] = b64encode(record.descriptors).decode()
    if "acknowledge_by" in given or "because" in given:
        given |= {"status": "withdrawn", "quality": None, "labels": [], "provenance": []}
    return given
