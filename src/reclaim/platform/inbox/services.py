"""Writes on uploads and matches: one function, one transaction, one audit event."""

from __future__ import annotations

import datetime
import hashlib
import secrets
import threading
import uuid
from collections.abc import Iterable, Sequence
from functools import partial

from django.db import transaction
from django.utils import timezone

from reclaim.matching import Match as Found
from reclaim.matching import PictureMatches, match_luma
from reclaim.platform.inbox import pictures
from reclaim.platform.inbox.models import Decision, Match, Upload, UploadKey
from reclaim.platform.inbox.queries import upload_key_mac
from reclaim.platform.outcomes.services import say
from reclaim.platform.subscription.models import KnownSignal
from reclaim.platform.subscription.queries import shared_index
from reclaim.platform.subscription.services import locked_signals
from reclaim.protocol.stopncii_v1 import FeedbackValue
from reclaim.signals import read_luma
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event

CLEAR_UPLOADS_ARE_KEPT = datetime.timedelta(days=7)

# A hostile picture may take half a gigabyte to decode: threads that meet such ones wait for one another.
_decoding = threading.BoundedSemaphore(2)


class AlreadyDecidedError(Exception):
    """The match has another decision, or nothing is left to decide."""


def make_upload_key() -> str:
    """A new key for the HTTP API, which ends every earlier one. It is shown once; only its MAC is kept."""
    key = f"reclaim_upload_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        UploadKey.objects.all().delete()
        UploadKey.objects.create(mac=upload_key_mac(key))
        audit.record("operator", "upload_key.make", "upload_key:new")
    return key


def take_upload(data: bytes, actor: str) -> Upload:
    """Match a picture that came in. If it matches, hold it, keep a review copy and let the bank know.

    ``actor`` as ``AuditEvent.actor`` has it. Raises what ``reclaim.signals.read_luma`` raises; then nothing is kept.
    """
    with _decoding:
        luma = read_luma(data)
        found = match_luma(luma, shared_index)
        copy = pictures.review_copy(luma, data) if found.matches else b""
    if found.matches:
        upload = _hold(found, hashlib.sha256(data).hexdigest(), copy, actor)
        if upload is not None:
            return upload
    return _let_through(found, actor)


def _let_through(found: PictureMatches, actor: str) -> Upload:
    with transaction.atomic():
        upload = Upload.objects.create(status=Upload.Status.CLEAR, quality=found.quality, poor=found.poor)
        audit.record(actor, "upload.clear", f"upload:{upload.pk}")
    return upload


def _hold(found: PictureMatches, sha256: str, copy: bytes, actor: str) -> Upload | None:
    """Hold an upload for its matches; ``None`` if their signals have all been withdrawn a moment ago."""
    number = uuid.uuid4()
    try:
        with locked_signals():
            held = set(
                KnownSignal.objects.filter(pk__in=[match.signal_id for match in found.matches]).values_list(
                    "pk", flat=True
                )
            )
            matches = [match for match in found.matches if match.signal_id in held]
            if not matches:
                return None
            # On the disk before the row is committed: a held upload always has its copy.
            pictures.store(number, copy)
            upload = Upload.objects.create(
                pk=number, status=Upload.Status.HELD, sha256=sha256, quality=found.quality, poor=found.poor
            )
            Match.objects.bulk_create(_row(upload, match) for match in matches)
            _tell_bank(match.signal_id for match in matches)
            audit.record(actor, "upload.hold", f"upload:{number}")
    except BaseException:
        pictures.delete(number)
        raise
    log_event("an upload is held", matches=len(matches))
    return upload


def _row(upload: Upload, found: Found) -> Match:
    return Match(
        upload=upload,
        signal_id=found.signal_id,
        distance=found.distance,
        turn=found.turn,
        quality=found.quality,
    )


def decide(match_id: uuid.UUID, verdict: Decision.Verdict, *, reviewer: str, note: str, actor: str) -> Match:
    """Decide a match; the bank is told. ``blocked`` decides every open match of the upload.

    The same again changes nothing. Raises ``Match.DoesNotExist``; ``AlreadyDecidedError`` if it was decided
    otherwise or its signal is withdrawn.
    """
    with locked_signals():
        match = Match.objects.select_related("upload").get(pk=match_id)
        if match.status == verdict.value:
            return match
        if match.status == Match.Status.WITHDRAWN:
            raise AlreadyDecidedError("The signal was withdrawn, so there is nothing left to decide.")
        if match.status != Match.Status.OPEN:
            raise AlreadyDecidedError(f"This match was decided already: {match.status}.")
        upload = match.upload
        blocked = verdict is Decision.Verdict.BLOCKED
        decided = list(upload.matches.filter(status=Match.Status.OPEN)) if blocked else [match]
        for each in decided:
            each.status = verdict.value
            each.save(update_fields=["status"])
            Decision.objects.create(match=each, verdict=verdict, reviewer=reviewer, note=note)
        if blocked:
            _finish([upload], Upload.Status.BLOCKED)
        elif not upload.matches.filter(status=Match.Status.OPEN).exists():
            _finish([upload], Upload.Status.CLEAR)
        _tell_bank(each.signal_id for each in decided)
        audit.record(actor, f"match.{verdict.value}", f"match:{match.pk}")
    log_event("a match was decided", decision=verdict.value, matches=len(decided))
    match.refresh_from_db()
    return match


def close_withdrawn(signals: Sequence[KnownSignal]) -> None:
    """Close what waits for a decision about these signals, which are about to go. Call it under ``locked_signals``."""
    waiting = Match.objects.filter(signal__in=signals, status=Match.Status.OPEN)
    uploads = list(Upload.objects.filter(matches__in=waiting, status=Upload.Status.HELD).distinct())
    waiting.update(status=Match.Status.WITHDRAWN)
    _finish([upload for upload in uploads if not upload.matches.filter(status="open").exists()], Upload.Status.CLEAR)


def _finish(uploads: Sequence[Upload], status: Upload.Status) -> None:
    """Give uploads their answer and delete their review copies: nobody needs to look any more."""
    for upload in uploads:
        upload.status = status
        upload.save(update_fields=["status"])
        transaction.on_commit(partial(pictures.delete, upload.pk))


def _tell_bank(signals: Iterable[int | None]) -> None:
    """Let the bank know where each of these signals stands, over all its matches here.

    The strongest word counts: the person whose picture was removed once must not read «is being looked at» because
    somebody uploaded it again.
    """
    for signal in signals:
        if signal is None:
            continue
        standing = set(Match.objects.filter(signal=signal).values_list("status", flat=True))
        if Match.Status.BLOCKED in standing:
            say(signal, FeedbackValue.BLOCKED)
        elif Match.Status.OPEN in standing:
            say(signal, FeedbackValue.PENDING_REVIEW)
        else:
            say(signal, FeedbackValue.NOT_BLOCKED)


def forget_clear_uploads() -> int:
    """Delete the rows of uploads that matched nothing a week ago; returns how many."""
    old = Upload.objects.filter(
        status=Upload.Status.CLEAR, matches=None, received_at__lt=timezone.now() - CLEAR_UPLOADS_ARE_KEPT
    )
    return old.delete()[0]


def delete_orphaned_copies() -> int:
    """Delete review copies whose upload waits for nobody, as a crash can leave them; returns how many."""
    copies = set(pictures.stored())
    held = set(Upload.objects.filter(pk__in=copies, status=Upload.Status.HELD).values_list("pk", flat=True))
    for orphan in copies - held:
        pictures.delete(orphan)
    return len(copies - held)
