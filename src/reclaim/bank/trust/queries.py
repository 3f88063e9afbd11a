"""Reads on trust: what speaks for and against signals, what staff look at, and what a person is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from reclaim.bank.feedback.models import Feedback
from reclaim.bank.feedback.queries import REASON_TAG, KeptFor
from reclaim.bank.ledger.models import BODIES, BODIES_OF_RECORD, LedgerRecord, Source
from reclaim.bank.trust.models import Correction
from reclaim.bank.trust.score import Evidence, is_doubted
from reclaim.protocol.stopncii_v1 import FeedbackValue
from reclaim.sitekit import audit

REJECTIONS = (KeptFor.NOT_THE_SAME, KeptFor.NOT_INTIMATE)
"""Reasons that say something of the signal. Others say something of a platform's rules, or nothing."""
MOST_SHOWN = 100

Name = tuple[str, str]
"""Type and value."""


@dataclass
class Words:
    """Which platforms, by key, decided how on a signal."""

    blocked: set[int] = field(default_factory=set)
    rejected: set[int] = field(default_factory=set)
    left_up: set[int] = field(default_factory=set)

    def note(self, platform: int, value: str, tags: Sequence[str]) -> None:
        """One platform's word."""
        if value == FeedbackValue.BLOCKED:
            self.blocked.add(platform)
        elif value == FeedbackValue.NOT_BLOCKED:
            (self.rejected if KeptFor.of(tags) in REJECTIONS else self.left_up).add(platform)

    @property
    def doubted(self) -> bool:
        """See ``score.is_doubted``."""
        return is_doubted(len(self.blocked), len(self.rejected))


@dataclass
class Brought:
    """Who brought a signal."""

    cases: set[object] = field(default_factory=set)
    platforms: set[int] = field(default_factory=set)
    peers: set[int] = field(default_factory=set)
    quality: int | None = None

    def note(self, case: object, platform: int | None, peer: int | None, quality: int | None) -> None:
        """One source. ``case`` is whatever tells its case from others."""
        if platform is not None:
            self.platforms.add(platform)
        elif peer is not None:
            self.peers.add(peer)
        else:
            self.cases.add(case)
        if quality is not None:
            self.quality = max(quality, self.quality or 0)

    def with_words(self, words: Words) -> Evidence:
        """All that the score rests on."""
        return Evidence(
            len(self.cases),
            len(self.platforms),
            len(self.peers),
            self.quality,
            len(words.blocked),
            len(words.rejected),
            len(words.left_up),
        )


def _with(values: Collection[str]) -> dict[str, list[str]]:
    """Of records with these values, in a way in which the index on type and value finds them."""
    return {"record__type__in": LedgerRecord.Type.values, "record__value__in": list(values)}


def brought(values: Collection[str], without: Collection[object]) -> defaultdict[Name, Brought]:
    """Who brought the signals with these values, but for the sources with the keys ``without``. One statement."""
    found: defaultdict[Name, Brought] = defaultdict(Brought)
    sources = Source.objects.filter(**_with(values), state=Source.State.ACTIVE).values_list(
        "record__type", "record__value", "pk", "casesignal__item__case", "platform", "peer", "quality"
    )
    for kind, value, key, case, platform, peer, quality in sources:
        if key not in without and value is not None:
            found[kind, value].note(case or key, platform, peer, quality)
    return found


def corrections(values: Collection[str]) -> dict[Name, Correction]:
    """What staff decided on the signals with these values. One statement."""
    decided = Correction.objects.filter(**_with(values)).select_related("record")
    return {(each.record.type, each.record.value or ""): each for each in decided.defer(*BODIES_OF_RECORD)}


def words_on(values: Collection[str], decided: dict[Name, Correction]) -> defaultdict[Name, Words]:
    """What platforms that have access say of the signals with these values, as far as it counts. One statement."""
    found: defaultdict[Name, Words] = defaultdict(Words)
    said = Feedback.objects.filter(**_with(values), platform__revoked_at=None).values_list(
        "record__type", "record__value", "platform", "value", "tags", "said_position"
    )
    for kind, value, platform, word, tags, position in said:
        correction = decided.get((kind, value or ""))
        if correction is None or not _is_struck(correction, word, position):
            found[kind, value or ""].note(platform, word, tags)
    return found


def _is_struck(correction: Correction, word: str, position: int) -> bool:
    restored = correction.decision == Correction.Decision.RESTORE
    return restored and word == FeedbackValue.NOT_BLOCKED and position <= correction.position


def are_doubted(sources: Iterable[Source]) -> bool:
    """Whether platforms rejected any of these signals, as far as their words were said after its source came in.

    What was said before concerns somebody else's case, of which this must not tell.
    """
    active = {source.record_id: source for source in sources if source.active and source.record_id is not None}
    found: defaultdict[int, Words] = defaultdict(Words)
    said = Feedback.objects.filter(record__in=list(active), platform__revoked_at=None)
    decided = {each.record_id: each for each in Correction.objects.filter(record__in=list(active))}
    for row in said:
        correction = decided.get(row.record_id)
        struck = correction is not None and _is_struck(correction, row.value, row.said_position)
        if row.said_position >= active[row.record_id].added_position and not struck:
            found[row.record_id].note(row.platform_id, row.value, row.tags)
    return any(words.doubted for words in found.values())


@dataclass(frozen=True)
class Doubted:
    """A signal that platforms reject, as staff see it: never its value, and nothing of whose it is."""

    record: LedgerRecord
    words: list[tuple[str, str]]
    """What each platform says: its name, and a sentence."""
    correction: Correction | None

    @property
    def kind(self) -> str:
        """What it finds, in words."""
        return _KINDS[LedgerRecord.Type(self.record.type)]


_KINDS = {
    LedgerRecord.Type.PDQ: "A picture, by its looks",
    LedgerRecord.Type.MD5: "A file, byte for byte",
    LedgerRecord.Type.VPDQ: "A video, by its looks",
    LedgerRecord.Type.DESCRIPTORS: "A picture, by its parts",
    LedgerRecord.Type.SOURCE: "A source photograph, by its looks",
}
_SENTENCES = {
    KeptFor.NOT_THE_SAME: "left it up: it was something else",
    KeptFor.NOT_INTIMATE: "left it up: not intimate",
    KeptFor.ALLOWED_HERE: "left it up: its rules allow it",
    KeptFor.CANNOT_TELL: "left it up: could not tell",
    KeptFor.OTHER: "left it up for another reason",
    KeptFor.UNSAID: "left it up and did not say why",
}


def rejected_signals() -> QuerySet[LedgerRecord]:
    """Active real signals that are for review only, or that a platform with access rejects."""
    reasons = Q()
    for reason in REJECTIONS:
        # Tags are a list of texts; this is how both databases store one of them.
        reasons |= Q(tags__icontains=f'"{REASON_TAG}{reason.value}"')
    rejecting = Feedback.objects.filter(reasons, value=FeedbackValue.NOT_BLOCKED, platform__revoked_at=None)
    real = LedgerRecord.objects.filter(status=LedgerRecord.Status.ACTIVE, only_for=None)
    return real.filter(Q(review_only=True) | Q(pk__in=rejecting.values("record")))


def access_doubted(actor: str) -> list[Doubted]:
    """Those first that are for review only and that nobody has decided on; and the note that somebody looked."""
    with transaction.atomic():
        found = rejected_signals().defer(*BODIES).annotate(decided=Count("correction"))
        records = list(found.order_by("decided", "-review_only", "position")[:MOST_SHOWN])
        audit.record(actor, "doubted.read", f"signals:{len(records)}")
    keys = [record.pk for record in records]
    decided = {each.record_id: each for each in Correction.objects.filter(record__in=keys)}
    said: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    words = Feedback.objects.filter(record__in=keys, platform__revoked_at=None).select_related("platform")
    for row in words.order_by("platform__name"):
        if row.value == FeedbackValue.BLOCKED:
            said[row.record_id].append((row.platform.name, "removed it"))
        elif row.value == FeedbackValue.NOT_BLOCKED:
            said[row.record_id].append((row.platform.name, _SENTENCES[KeptFor.of(row.tags)]))
    return [Doubted(record, said[record.pk], decided.get(record.pk)) for record in records]


@dataclass(frozen=True)
class Rejecting:
    """How often a platform rejects what it decides on."""

    name: str
    decided: int
    rejected: int

    @property
    def unusual(self) -> bool:
        """Whether it rejects so much that its words should be looked at before anything is decided by them."""
        return self.rejected >= 20 and self.rejected * 2 > self.decided


def rejecting_platforms() -> list[Rejecting]:
    """Every platform that rejects anything, most first. Canaries count for nothing."""
    decided: defaultdict[str, Words] = defaultdict(Words)
    said = Feedback.objects.filter(
        record__only_for=None,
        platform__revoked_at=None,
        value__in=(FeedbackValue.BLOCKED.value, FeedbackValue.NOT_BLOCKED.value),
    )
    for name, record, value, tags in said.values_list("platform__name", "record", "value", "tags").iterator():
        # A set of records here, where elsewhere it is one of platforms.
        decided[name].note(record, value, tags)
    found = [
        Rejecting(name, len(each.blocked) + len(each.rejected) + len(each.left_up), len(each.rejected))
        for name, each in decided.items()
        if each.rejected
    ]
    return sorted(found, key=lambda each: -each.rejected)
