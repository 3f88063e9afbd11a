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
class Brought:
    """Who brought a signal, as far as platforms are told, and how good it is."""

    names: list[str] = field(default_factory=list)
    """Sorted."""
    quality: int | None = None


@dataclass(frozen=True)
class Known:
    """What the bank knows of a signal beside its record."""

    brought: Brought
    labels: list[str]
    decisions: Decisions


def known_of(records: Sequence[LedgerRecord]) -> dict[int, Known]:
    """What is known of each of these, by key. Three statements."""
    keys = [record.pk for record in records]
    brought, labels, decisions = provenance_of(keys), labels_of(keys), _decisions_on(keys)
    none = Decisions(blocked=0, not_blocked=0)
    return {key: Known(brought[key], labels.get(key, []), decisions.get(key, none)) for key in keys}


def provenance_of(keys: Sequence[int]) -> dict[int, Brought]:
    """Who brought each of these records, by key."""
    brought = {key: Brought() for key in keys}
    sources = Source.objects.filter(record__in=keys, state=Source.State.ACTIVE)
    for key, platform, peer, quality in sources.values_list("record", "platform", "peer__name", "quality"):
        known = brought[key or 0]
        name = PLATFORM if platform else f"{BANK}{peer}" if peer else PERSON
        if name not in known.names:
            known.names = sorted([*known.names, name])
        if quality is not None:
            known.quality = max(quality, known.quality or 0)
    return brought


def labels_of(keys: Sequence[int]) -> dict[int, list[str]]:
    """The labels of those of these records that have any."""
    return {key: [MADE_WITH_AI] for key in made_with_ai(keys)}


def _decisions_on(keys: Sequence[int]) -> dict[int, Decisions]:
    decided = (FeedbackValue.BLOCKED.value, FeedbackValue.NOT_BLOCKED.value)
    words = Feedback.objects.filter(record__in=keys, value__in=decided).values("record", "value")
    said: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for row in words.annotate(platforms=Count("pk")).order_by():
        said[row["record"]][row["value"]] = row["platforms"]
    return {
        key: Decisions(blocked=counts.get(decided[0], 0), not_blocked=counts.get(decided[1], 0))
        for key, counts in said.items()
    }


def hour_of(second: int) -> datetime.datetime:
    """The hour that an epoch second lies in."""
    return datetime.datetime.fromtimestamp(second - second % 3600, datetime.UTC)


def wire_record(record: LedgerRecord, known: Known, least_trust: int) -> Record:
    """One record. A signal that is trusted less than ``least_trust`` is told as withdrawn, so that copies of it go."""
    gone = record.status == LedgerRecord.Status.WITHDRAWN
    given: dict[str, object] = {
        "type": record.type,
        "value": record.value,
        "changed_at": hour_of(record.modified_at),
        "trust": record.trust,
        "action": "review" if record.review_only else "block",
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
        "quality": known.brought.quality if kept else None,
        "labels": known.labels if kept else [],
        "provenance": known.brought.names if kept else [],
    }
    return Record.model_validate(given)
