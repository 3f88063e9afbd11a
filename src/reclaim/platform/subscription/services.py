"""Writes on the signals this platform holds. All of them, and all writes on matches, take their turn at one lock."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.db import transaction
from django.utils import timezone

from reclaim.client import Change, Checkpoint, ExtraType, Owed, SignalName
from reclaim.platform.subscription.bulk import put_signals
from reclaim.platform.subscription.models import (
    KnownSignal,
    PendingAcknowledgement,
    RemovedSignal,
    Subscription,
)
from reclaim.protocol.stopncii_v1 import SignalType
from reclaim.sitekit import audit

HELD_TYPES = (SignalType.IMAGE_PDQ, SignalType.VIDEO_MD5, SignalType.VIDEO_VPDQ)
"""Signals of other types are of no use here, so they are not kept."""
EXTRA_TYPES = tuple(ExtraType)


@contextmanager
def locked_signals() -> Iterator[Subscription]:
    """Open a transaction in which no signal can come or go but by the caller.

    A match is written under it too: found a moment ago, its signal may have been withdrawn since.
    """
    Subscription.objects.get_or_create(pk=1)
    with transaction.atomic():
        yield Subscription.objects.select_for_update().get(pk=1)


def keep_signals(subscription: Subscription, changes: Sequence[Change], generation: int) -> None:
    """Hold these signals, each at most once among them, and what is said of them."""
    if not changes:
        return
    put_signals(changes, generation)
    # Held again: an acknowledgement that is still on its way would now be a lie.
    if PendingAcknowledgement.objects.exists():
        forget_acknowledgements(change.name for change in changes)
    subscription.version += 1


def held_signals(names: Iterable[SignalName]) -> list[KnownSignal]:
    """The rows of those of these signals that are held."""
    wanted = set(names)
    rows = KnownSignal.objects.defer("frames", "descriptors").filter(value__in=[name.value for name in wanted])
    return [row for row in rows if (row.type, row.value) in wanted]


def drop_signals(subscription: Subscription, rows: Sequence[KnownSignal]) -> None:
    """Delete signals, and with them what we meant to say of them."""
    if not rows:
        return
    subscription.version += 1
    keys = [row.pk for row in rows]
    RemovedSignal.objects.bulk_create(RemovedSignal(signal=key, version=subscription.version) for key in keys)
    KnownSignal.objects.filter(pk__in=keys).delete()


def owe_acknowledgements(owed: Iterable[Owed]) -> None:
    """Owe the bank the word that these are deleted; also of signals that were never held, for the bank waits."""
    PendingAcknowledgement.objects.bulk_create(
        (
            PendingAcknowledgement(
                type=each.name.type,
                value=each.name.value,
                acknowledge_by=_moment(each.acknowledge_by) if each.acknowledge_by else None,
            )
            for each in {each.name: each for each in owed}.values()
        ),
        ignore_conflicts=True,
    )


def _moment(second: int) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromtimestamp(second, datetime.UTC)
    except (ValueError, OverflowError, OSError):  # a year that nobody lives to see
        return None


def forget_acknowledgements(names: Iterable[SignalName]) -> None:
    """Owe the bank no acknowledgement of these any more."""
    wanted = set(names)
    rows = PendingAcknowledgement.objects.filter(value__in=[name.value for name in wanted])
    PendingAcknowledgement.objects.filter(pk__in=[r.pk for r in rows if (r.type, r.value) in wanted]).delete()


def checkpoint_of(subscription: Subscription, *, extra: bool = False) -> Checkpoint | None:
    """How far the feed, or that of the extra types, was followed; ``None`` before the first page."""
    text = subscription.extra_checkpoint if extra else subscription.checkpoint
    return Checkpoint.from_text(text) if text else None


def move_checkpoint(subscription: Subscription, checkpoint: Checkpoint, *, extra: bool = False) -> None:
    """Remember how far the feed was followed, together with what it brought."""
    if extra:
        subscription.extra_checkpoint = checkpoint.as_text()
    else:
        subscription.checkpoint = checkpoint.as_text()
    subscription.save()


def note_end_of_feed() -> None:
    """Remember that a sync has just reached the end of the feed."""
    Subscription.objects.filter(pk=1).update(synced_at=timezone.now())


def start_over() -> None:
    """Fetch the whole feed at the next sync, and drop at its end what it no longer names: the bank has changed.

    A sync that is under way is overtaken by this: what it fetched came from the other bank.
    """
    with locked_signals() as subscription:
        for extra in (False, True) if subscription.extra_checkpoint else (False,):
            last = checkpoint_of(subscription, extra=extra) or Checkpoint()
            move_checkpoint(subscription, last.start_over(time.time()).to_store(), extra=extra)
        audit.record("operator", "subscription.start_over", "signals:all")


def set_extra_types(subscription: Subscription, types: Sequence[str]) -> None:
    """Fetch the extra types anew, these and no others: a cursor goes on from what was asked for before it."""
    subscription.extra_types = sorted(types)
    last = checkpoint_of(subscription, extra=True) or Checkpoint()
    move_checkpoint(subscription, last.start_over(time.time()).to_store(), extra=True)
