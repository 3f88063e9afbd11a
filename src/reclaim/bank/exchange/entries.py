"""The feed as NCMEC's entries: an entry is a ledger record, under a name made for one platform."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings

from reclaim.bank.feedback.models import Feedback
from reclaim.bank.feedback.queries import KeptFor
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.ledger.queries import in_the_feed_of
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.queries import vetted_platforms
from reclaim.protocol.ncmec_v2 import PAGE_SIZE, EntriesPage, EntriesQuery, Entry, Fingerprint, Kind, Member, Vote
from reclaim.protocol.stopncii_v1 import FeedbackValue
from reclaim.sitekit.secrets import mac

BANK = Member(1, settings.NAME)
"""Whose every entry is: which platform or peer found a signal is not told."""
_FIRST_PLATFORM = 1000
CLASSIFICATION = "NCII"
FOR_REVIEW = "NCII review-only"
"""Platforms' decisions speak against it: nothing is to be removed without a person."""

_KINDS = {
    LedgerRecord.Type.PDQ.value: (Kind.IMAGE, Fingerprint.PDQ),
    LedgerRecord.Type.MD5.value: (Kind.VIDEO, Fingerprint.MD5),
}
"""What the wire has a place for: frames of videos have none."""


def member(platform: Platform) -> Member:
    """A platform as the wire knows it."""
    return Member(_FIRST_PLATFORM + platform.pk, platform.name)


def members() -> list[Member]:
    """The bank and every platform with access."""
    return [BANK, *map(member, vetted_platforms())]


def entries(platform: Platform, query: EntriesQuery) -> tuple[EntriesPage, int]:
    """A page of what changed in the time asked for, and the position of its last record (0: it has none).

    A record that has lost its value is still named as deleted: its name here is not made from the value.
    """
    asked = LedgerRecord.objects.filter(
        in_the_feed_of(platform), type__in=_KINDS, modified_at__gte=query.start, modified_at__lte=query.end
    )
    found = list(asked.filter(position__gt=query.after).order_by("position").defer("frames")[: PAGE_SIZE + 1])
    page, more = found[:PAGE_SIZE], found[PAGE_SIZE:]
    following = ""
    if more:
        largest = asked.order_by("-position").values_list("position", flat=True).first()
        following = query.path(page[-1].position, largest or 0)
    votes = _votes(record for record in page if record.status == LedgerRecord.Status.ACTIVE)
    names = _Names(platform)
    wire = [_entry(record, names, votes.get(record.pk, [])) for record in page]
    return EntriesPage(wire, following), page[-1].position if page else 0


def access_entry(platform: Platform, name: str) -> LedgerRecord | None:
    """The record that a platform knows by this name."""
    key = _Names(platform).read(name)
    if key is None:
        return None
    named = LedgerRecord.objects.filter(in_the_feed_of(platform), pk=key, type__in=_KINDS)
    return named.exclude(status=LedgerRecord.Status.ERASED).defer("frames").first()


def fingerprint_of(record: LedgerRecord) -> Fingerprint:
    """The one fingerprint of an entry."""
    return _KINDS[record.type][1]


def _entry(record: LedgerRecord, names: _Names, votes: list[Vote]) -> Entry:
    kind, fingerprint = _KINDS[record.type]
    name = names.write(record.pk)
    if record.status != LedgerRecord.Status.ACTIVE or record.value is None:
        return Entry(name, BANK, kind, record.modified_at, deleted=True)
    return Entry(
        name,
        BANK,
        kind,
        record.modified_at,
        classification=FOR_REVIEW if record.review_only else CLASSIFICATION,
        fingerprints={fingerprint: record.value},
        votes=votes,
    )


def _votes(records: Iterable[LedgerRecord]) -> dict[int, list[Vote]]:
    """What platforms said of each record that can be said on this wire."""
    by_key = {record.pk: fingerprint_of(record) for record in records}
    said = Feedback.objects.filter(
        record__in=list(by_key), value__in=(FeedbackValue.BLOCKED.value, FeedbackValue.NOT_BLOCKED.value)
    )
    votes: dict[int, list[Vote]] = {}
    for row in said.select_related("platform").order_by("platform"):
        reason = None if row.value == FeedbackValue.BLOCKED else str(KeptFor.of(row.tags))
        votes.setdefault(row.record_id, []).append(Vote(member(row.platform), by_key[row.record_id], reason))
    return votes


class _Names:
    """Names of entries for one platform. Records are made one after another, so their own numbers would tie the
    signals of one case together for ever; these are as good as random, and no other platform has them."""

    def __init__(self, platform: Platform) -> None:
        key = mac("ncmec-entry", platform.pk.to_bytes(8, "big"))
        # One block, and no two records have the same: what makes this mode unsafe for texts does not exist here.
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305

    def write(self, key: int) -> str:
        """The name of the record with this primary key."""
        return str(uuid.UUID(bytes=self._cipher.encryptor().update(key.to_bytes(16, "big"))))

    def read(self, name: str) -> int | None:
        """The record's primary key; ``None`` for a name that was not made for this platform."""
        try:
            block = uuid.UUID(name).bytes
        except ValueError:
            return None
        key = int.from_bytes(self._cipher.decryptor().update(block), "big")
        return key if key < 2**63 else None
