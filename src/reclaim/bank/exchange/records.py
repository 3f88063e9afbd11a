"""Ledger records as version 2 of the wire has them, many at a time: a handful of statements however many there are."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Count

from reclaim.bank.cases.queries import made_with_ai
from reclaim.bank.feedback.models import Feedback
from reclaim.bank.feedback.queries import acknowledge_by
from reclaim.bank.ledger.models import LedgerRecord, Source
from reclaim.protocol.native_v2 import Decisions, Record
from reclaim.protocol.stopncii_v1 import MADE_WITH_AI, FeedbackValue

PERSON, PLATFORM, BANK = "person", "platform", "bank:"


@dataclass
class Known:
    """What the bank knows of a signal beside its record."""

    provenance: list[str] = field(default_factory=list)
    """Sorted."""
    quality: int | None = None
    labels: list[str] = field(default_factory=list)
    decisions: Decisions = field(default_factory=lambda: Decisions(blocked=0, not_blocked=0))


def known_of(records: Sequence[LedgerRecord]) -> dict[int, Known]:
    """What is known of each of these, by key. Three statements."""
    keys = [record.pk for record in records]
    known = {key: Known() for key in keys}
    brought: defaultdict[int, set[str]] = defaultdict(set)
    sources = Source.objects.filter(record__in=keys, state=Source.State.ACTIVE)
    for key, platform, peer, quality in sources.values_list("record", "platform", "peer__name", "quality"):
        brought[key].add(PLATFORM if platform else f"{BANK}{peer}" if peer else PERSON)
        if quality is not None:
            known[key].quality = max(quality, known[key].quality or 0)
    for key, names in brought.items():
        known[key].provenance = sorted(names)
    for key in made_with_ai(keys):
        known[key].labels = [MADE_WITH_AI]
    decided = (FeedbackValue.BLOCKED.value, FeedbackValue.NOT_BLOCKED.value)
    said: defaultdict[int, dict[str, int]] = defaultdict(dict)
    words = Feedback.objects.filter(record__in=keys, value__in=decided).values("record", "value")
    for row in words.annotate(platforms=Count("pk")).order_by():
        said[row["record"]][row["value"]] = row["platforms"]
    for key, counts in said.items():
        blocked, not_blocked = (counts.get(value, 0) for value in decided)
        known[key].decisions = Decisions(blocked=blocked, not_blocked=not_blocked)
    return known


def hour_of(second: int) -> datetime.datetime:
    """The hour that an epoch second lies in."""
    return datetime.datetime.fromtimestamp(second - second % 3600, datetime.UTC)


def action_of(record: LedgerRecord) -> str:
    """What a platform may do by itself when something matches."""
    return "review" if record.review_only else "block"


def wire_record(record: LedgerRecord, known: Known, least_trust: int) -> Record:
    """One record. A signal that is trusted less than ``least_trust`` is told as withdrawn, so that copies of it go."""
    gone = record.status == LedgerRecord.Status.WITHDRAWN
    given: dict[str, object] = {
        "type": record.type,
        "value": record.value,
        "changed_at": hour_of(record.modified_at),
        "trust": record.trust,
        "action": action_of(record),
        "decisions": known.decisions,
    }
    if gone and record.withdrawn_at is not None:
        given |= {"status": "withdrawn", "acknowledge_by": acknowledge_by(record.withdrawn_at)}
    elif record.trust < least_trust:
        given |= {"status": "withdrawn", "because": "trust"}
    else:
        given |= {"status": "active", **({"frames": record.frames} if record.frames else {})}
    kept = given["status"] == "active"
    given |= {
        "quality": known.quality if kept else None,
        "labels": known.labels if kept else [],
        "provenance": known.provenance if kept else [],
    }
    return Record.model_validate(given)
