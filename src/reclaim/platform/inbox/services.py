"""Writes on uploads and matches: one function, one transaction, one audit event."""

from __future__ import annotations

import datetime
import hashlib
import secrets
import threading
import uuid
from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Min
from django.utils import timezone

from reclaim.matching import Policy, match_luma
from reclaim.matching.videos import find_videos
from reclaim.platform.inbox import pictures
from reclaim.platform.inbox.models import Decision, Match, Upload, UploadKey
from reclaim.platform.inbox.queries import upload_key_mac
from reclaim.platform.outcomes.services import say
from reclaim.platform.subscription.models import KnownSignal
from reclaim.platform.subscription.queries import shared_index, shared_videos
from reclaim.platform.subscription.services import locked_signals
from reclaim.protocol.stopncii_v1 import SignalType
from reclaim.signals import SignalError, md5_of, read_luma
from reclaim.signals.crew import Crew
from reclaim.signals.pdq import TURNS
from reclaim.signals.video import HEAD as VIDEO_HEAD
from reclaim.signals.video import View, is_video, view_crew
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event

CLEAR_UPLOADS_ARE_KEPT = datetime.timedelta(days=7)

# A picture may take 700 MiB to decode (reclaim.signals.containers): threads that meet such ones wait for one another.
_decoding = threading.BoundedSemaphore(2)


VIDEO_SECONDS = 60.0
"""A video still being decoded then is given up."""

POLICY = Policy()
_decoder: Crew[View] | None = None
_starting = threading.Lock()


class _About(NamedTuple):
    """What is kept of any upload."""

    kind: Upload.Kind
    quality: int
    poor: bool


class _Row(NamedTuple):
    """A match to be, as ``Match`` has it."""

    signal_id: int
    distance: int | None
    turn: str
    quality: int
    query_percent: float | None = None
    video_percent: float | None = None


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
    """Match a picture or video that came in. If it matches, hold it, keep a review copy and let the bank know.

    ``actor`` as ``AuditEvent.actor`` has it. Raises what ``reclaim.signals.read_luma`` raises, or
    ``reclaim.signals.video.read_frames`` and ``DecoderStopped`` for a video; then nothing is kept.
    """
    if is_video(data[:VIDEO_HEAD]):
        return _take_video(data, actor)
    with _decoding:
        luma = read_luma(data)
        found = match_luma(luma, shared_index)
        # Of a picture that is too plain for a PDQ, a person can only report the very file.
        rows = [_Row(key, 0, TURNS[0], found.quality) for key in _known_files(data)]
        rows += [_Row(match.signal_id, match.distance, match.turn, match.quality) for match in found.matches]
        copy = pictures.review_copy(luma, data) if rows else b""
    about = _About(Upload.Kind.PICTURE, found.quality, found.poor)
    if rows:
        upload = _hold(rows, about, hashlib.sha256(data).hexdigest(), copy, actor)
        if upload is not None:
            return upload
    return _let_through(about, actor)


def _take_video(data: bytes, actor: str) -> Upload:
    """As ``take_upload``, decoded in a limited process. A known file is held even where nobody can decode it."""
    view = _video_decoder().ask(data, VIDEO_SECONDS)
    files = _known_files(data)
    if isinstance(view, SignalError):
        if not files:
            raise view
        view = View(dict.fromkeys(TURNS, ()), None)
    upright = view.turned[TURNS[0]]
    quality = max((frame.quality for frame in upright), default=0)
    rows = [_Row(key, 0, TURNS[0], quality) for key in files]
    for match in find_videos(view.turned, shared_videos.current(), POLICY):
        rows.append(_Row(match.id, None, match.turn or TURNS[0], quality, match.query_percent, match.video_percent))
    about = _About(Upload.Kind.VIDEO, quality, not upright)
    if rows:
        copy = pictures.still_copy(view.still) if view.still else b""
        upload = _hold(rows, about, hashlib.sha256(data).hexdigest(), copy, actor)
        if upload is not None:
            return upload
    return _let_through(about, actor)


def _known_files(data: bytes) -> list[int]:
    """The signals of this very file. The protocol has one name for an MD5, of a picture too: ``VideoMD5``."""
    return list(KnownSignal.objects.filter(type=SignalType.VIDEO_MD5, value=md5_of(data)).values_list("pk", flat=True))


def _video_decoder() -> Crew[View]:
    """This process's one, started with its first video."""
    global _decoder
    with _starting:
        if _decoder is None:
            _decoder = view_crew(1)
        return _decoder


def _let_through(about: _About, actor: str) -> Upload:
    with transaction.atomic():
        upload = Upload.objects.create(
            kind=about.kind, status=Upload.Status.CLEAR, quality=about.quality, poor=about.poor
        )
        audit.record(actor, "upload.clear", f"upload:{upload.pk}")
    return upload


def _hold(rows: Sequence[_Row], about: _About, sha256: str, copy: bytes, actor: str) -> Upload | None:
    """Hold an upload for its matches; ``None`` if their signals have all been withdrawn a moment ago."""
    number = uuid.uuid4()
    try:
        with locked_signals():
            held = set(KnownSignal.objects.filter(pk__in=[row.signal_id for row in rows]).values_list("pk", flat=True))
            matches = [row for row in rows if row.signal_id in held]
            if not matches:
                return None
            # On the disk before the row is committed: a held upload has its copy, if anything can be seen of it.
            if copy:
                pictures.store(number, copy)
            upload = Upload.objects.create(
                pk=number,
                kind=about.kind,
                status=Upload.Status.HELD,
                sha256=sha256,
                quality=about.quality,
                poor=about.poor,
            )
            Match.objects.bulk_create(Match(upload=upload, **row._asdict()) for row in matches)
            _tell_bank(match.signal_id for match in matches)
            audit.record(actor, "upload.hold", f"upload:{number}")
    except BaseException:
        pictures.delete(number)
        raise
    log_event("an upload is held", matches=len(matches))
    return upload


def decide(
    match_id: uuid.UUID,
    verdict: Decision.Verdict,
    *,
    reviewer: str,
    note: str,
    actor: str,
    reason: Decision.Reason | None = None,
) -> Match:
    """Decide a match; the bank is told, and why if not blocked. ``blocked`` decides every open match of the upload.

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
        why = "" if blocked or reason is None else reason.value
        decided = list(upload.matches.filter(status=Match.Status.OPEN)) if blocked else [match]
        for each in decided:
            each.status = verdict.value
            each.save(update_fields=["status"])
            Decision.objects.create(match=each, verdict=verdict, reviewer=reviewer, note=note, reason=why)
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
        matches = Match.objects.filter(signal=signal)
        standing = set(matches.values_list("status", flat=True))
        about = matches.aggregate(distance=Min("distance"), count=Count("upload", distinct=True))
        if Match.Status.BLOCKED in standing:
            say(signal, "blocked", measure="removed", **about)
        elif Match.Status.OPEN in standing:
            # Held uploads are shown to nobody until a person has decided.
            say(signal, "pending", measure="hidden", by_machine=True, **about)
        else:
            say(signal, "not-blocked", measure="none", reason=_reason(signal), **about)


def _reason(signal: int) -> str:
    """Why matches of this signal were not blocked; the latest decision's alone."""
    last = Decision.objects.filter(match__signal=signal, verdict=Decision.Verdict.NOT_BLOCKED).order_by("-pk").first()
    return last.reason if last else ""


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
