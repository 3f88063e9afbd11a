"""Writes on uploads as they come in: one function, one transaction, one audit event."""

from __future__ import annotations

import atexit
import datetime
import hashlib
import secrets
import threading
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from reclaim.client import ExtraType
from reclaim.matching import Action, Policy
from reclaim.matching.by_parts import MOST_CHECKS, MayShow, described
from reclaim.matching.pictures import Match as PictureMatch
from reclaim.matching.pictures import match_views
from reclaim.matching.seen import BOTH_STAGES, VIEWS_ALONE, SeenVideo, moments_task, seen_video_crew
from reclaim.matching.videos import find_videos
from reclaim.platform.inbox import pictures
from reclaim.platform.inbox.by_parts import by_parts, follows_descriptors
from reclaim.platform.inbox.deciding import settle, tell_bank
from reclaim.platform.inbox.models import Appeal, Candidate, Match, Upload, UploadKey
from reclaim.platform.inbox.queries import policy_of, rules, upload_key_mac
from reclaim.platform.subscription.models import KnownSignal
from reclaim.platform.subscription.queries import shared_index, shared_sources, shared_videos
from reclaim.platform.subscription.services import locked_signals
from reclaim.protocol.stopncii_v1 import SignalType
from reclaim.signals import MATCH_DISTANCE, SignalError, md5_of
from reclaim.signals.crew import Crew, CrewBusy
from reclaim.signals.descriptors import frame_of
from reclaim.signals.luma import read_picture
from reclaim.signals.pdq import TURNS
from reclaim.signals.video import HEAD as VIDEO_HEAD
from reclaim.signals.video import is_video
from reclaim.signals.video_views import NO_VIEWS, Moment
from reclaim.signals.views import views_of, whole_of
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event

CLEAR_UPLOADS_ARE_KEPT = datetime.timedelta(days=7)

# A picture may take 700 MiB to decode (reclaim.signals.containers): threads that meet such ones wait for one another.
_decoding = threading.BoundedSemaphore(2)


VIDEO_SECONDS = 60.0
"""A video still being decoded then is given up."""
VIDEO_DECODERS = 2
"""Processes, so that one slow video does not keep all others waiting."""
VIDEO_PATIENCE = 20.0
"""Seconds that a video waits for one of them."""
RETRY_SECONDS = 30

POLICY = Policy()
_decoder: Crew[SeenVideo] | None = None
_HOLDS_FILES = POLICY.exact_file is Action.HOLD
# Each holds its video in memory while it waits.
_videos = threading.BoundedSemaphore(2 * VIDEO_DECODERS)
_starting = threading.Lock()


class _About(NamedTuple):
    """What is kept of any upload."""

    kind: Upload.Kind
    quality: int
    poor: bool
    adult: bool | None
    shape: tuple[int, int] | None = None
    """Width and height in pixels, the longer side 512; of a video that of its first still."""
    moments: Sequence[float] = ()
    """Of a video: the seconds of its stills."""


class _Row(NamedTuple):
    """A match to be, as ``Match`` has it."""

    signal_id: int
    holds: bool
    distance: int | None
    turn: str
    quality: int
    query_percent: float | None = None
    video_percent: float | None = None
    relation: dict[str, Any] | None = None
    of_a_source: bool = False
    status: Match.Status = Match.Status.OPEN


class BusyError(Exception):
    """Other videos are being read; this one was not looked at. Send it again in ``RETRY_SECONDS``."""


def make_upload_key() -> str:
    """A new key for the HTTP API, which ends every earlier one. It is shown once; only its MAC is kept."""
    key = f"reclaim_upload_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        UploadKey.objects.all().delete()
        UploadKey.objects.create(mac=upload_key_mac(key))
        audit.record("operator", "upload_key.make", "upload_key:new")
    return key


def take_upload(data: bytes, actor: str, *, adult: bool | None = None) -> Upload:
    """Match a picture or video that came in. If it matches, keep a review copy and let the bank know; hold it if the
    policy says so of any of its matches, unless the bank says of that signal that a person has to look first.

    What it may show by its parts alone waits for the bank's word, see ``by_parts``. ``adult`` is what the platform's
    own classifier or moderator says, ``actor`` as ``AuditEvent.actor`` has it. Raises ``BusyError`` for a video where
    others are being read; what ``reclaim.signals.read_luma`` raises, or ``reclaim.signals.video.read_frames`` and
    ``DecoderStopped`` for a video. Then nothing is kept.
    """
    if is_video(data[:VIDEO_HEAD]):
        return _take_video(data, actor, adult)
    policy = policy_of(rules(), adult=adult)
    with _decoding:
        picture = read_picture(data)
        views = views_of(picture) if policy.views else whole_of(picture.luma)
        found = match_views(views, shared_index, policy)
        # Of a picture that is too plain for a PDQ, a person can only report the very file.
        rows = [_Row(key, _HOLDS_FILES, 0, TURNS[0], found.quality) for key in _known_files(data)]
        for match in found.matches:
            action = policy.action_at(match.distance, poor=found.poor, plain=match.plain)
            rows.append(_row_of(match, holds=action is Action.HOLD))
        if policy.takes_sources:
            near = policy.model_copy(update={"review_distance": MATCH_DISTANCE})
            rows += [
                _row_of(match)._replace(of_a_source=True) for match in match_views(views, shared_sources, near).matches
            ]
        sides = picture.width, picture.height
        # Of what is held too: it may be a copy of which a part was replaced, or show a second known picture.
        parts = by_parts(described(picture.luma, *sides)) if follows_descriptors() else []
        copies = [pictures.review_copy(picture.luma, sides)] if rows or parts else []
    about = _About(Upload.Kind.PICTURE, found.quality, found.poor, adult, frame_of(*sides))
    if rows or parts:
        upload = _keep(rows, parts, about, hashlib.sha256(data).hexdigest(), copies, actor)
        if upload is not None:
            return upload
    return _let_through(about, actor)


def _row_of(match: PictureMatch, *, holds: bool = False) -> _Row:
    relation = match.relation.model_dump(mode="json")
    return _Row(match.signal_id, holds, match.distance, match.turn, match.quality, relation=relation)


def _take_video(data: bytes, actor: str, adult: bool | None) -> Upload:
    """As ``take_upload``, decoded in a limited process. A known file is held even where nobody can decode it."""
    seen = _seen_of(data)
    files = _known_files(data)
    if isinstance(seen, SignalError):
        if not files:
            raise seen
        seen = SeenVideo(NO_VIEWS, [], [])
    upright = seen.views[0].frames
    quality = max((frame.quality for frame in upright), default=0)
    rows = [_Row(key, _HOLDS_FILES, 0, TURNS[0], quality) for key in files]
    for match in find_videos(seen.views, shared_videos.current(), POLICY):
        holds, turn = match.action is Action.HOLD, match.relation.turn
        percents = match.query_percent, match.video_percent
        rows.append(_Row(match.id, holds, None, turn, quality, *percents, match.relation.model_dump(mode="json")))
    parts = by_parts(seen.described)
    about = _About(Upload.Kind.VIDEO, quality, not upright, adult)
    if rows or parts:
        stills = _with_moments(seen.stills, parts, data)
        shape = frame_of(stills[0].still.width, stills[0].still.height) if stills else None
        about = about._replace(shape=shape, moments=[seconds for seconds, _ in stills])
        copies = [pictures.still_copy(still) for _, still in stills]
        upload = _keep(rows, parts, about, hashlib.sha256(data).hexdigest(), copies, actor)
        if upload is not None:
            return upload
    return _let_through(about, actor)


def _with_moments(stills: list[Moment], parts: Sequence[MayShow], data: bytes) -> list[Moment]:
    """The stills, and beside them those at which a known picture may be seen: that is what somebody has to look at."""
    asked = {part.at for part in parts[:MOST_CHECKS] if part.at is not None} - {each.seconds for each in stills}
    if not asked:
        return stills
    try:
        more = _ask(moments_task(sorted(asked), data))
    except BusyError:
        return stills
    return sorted([*stills, *(more.stills if isinstance(more, SeenVideo) else [])], key=lambda each: each.seconds)


def _seen_of(data: bytes) -> SeenVideo | SignalError:
    stages = BOTH_STAGES if follows_descriptors() else VIEWS_ALONE
    return _ask(stages + data)


def _ask(task: bytes) -> SeenVideo | SignalError:
    if not _videos.acquire(blocking=False):
        raise BusyError
    try:
        return _video_decoder().ask(task, VIDEO_SECONDS, patience=VIDEO_PATIENCE)
    except CrewBusy:
        raise BusyError from None
    finally:
        _videos.release()


def _known_files(data: bytes) -> list[int]:
    """The signals of this very file. The protocol has one name for an MD5, of a picture too: ``VideoMD5``."""
    return list(KnownSignal.objects.filter(type=SignalType.VIDEO_MD5, value=md5_of(data)).values_list("pk", flat=True))


def _video_decoder() -> Crew[SeenVideo]:
    """This process's own: started with its first video, and ended with it."""
    global _decoder
    with _starting:
        if _decoder is None:
            _decoder = seen_video_crew(VIDEO_DECODERS)
            atexit.register(_decoder.end)
        return _decoder


def _let_through(about: _About, actor: str) -> Upload:
    with transaction.atomic():
        upload = Upload.objects.create(
            kind=about.kind,
            status=Upload.Status.CLEAR,
            quality=about.quality,
            poor=about.poor,
            adult=about.adult,
        )
        audit.record(actor, "upload.clear", f"upload:{upload.pk}")
    return upload


def _keep(
    rows: Sequence[_Row],
    parts: Sequence[MayShow],
    about: _About,
    sha256: str,
    copies: Sequence[bytes],
    actor: str,
) -> Upload | None:
    """Have people look at an upload, or the bank; ``None`` if nothing is left of what it matched a moment ago."""
    number = uuid.uuid4()
    try:
        with locked_signals():
            named = [row.signal_id for row in rows] + [part.id for part in parts]
            known = {row.pk: row for row in KnownSignal.objects.defer("frames", "descriptors").filter(pk__in=named)}
            matches = [
                row._replace(holds=row.holds and _may_hold(row, known[row.signal_id]))
                for row in rows
                if row.signal_id in known
            ]
            counts_sources = rules().sources and about.adult is True
            asked = [
                part
                for part in parts
                if part.id in known
                and known[part.id].type == ExtraType.DESCRIPTORS
                and (counts_sources or not known[part.id].is_of_a_source)
            ][:MOST_CHECKS]
            if not matches and not asked:
                return None
            # On the disk before the row is committed: who has to look finds a copy, if anything can be seen of it.
            pictures.store(number, copies)
            status = Upload.Status.HELD if any(row.holds for row in matches) else Upload.Status.CLEAR
            width, height = about.shape or (None, None)
            upload = Upload.objects.create(
                pk=number,
                kind=about.kind,
                status=status,
                sha256=sha256,
                quality=about.quality,
                poor=about.poor,
                adult=about.adult,
                width=width,
                height=height,
                moments=list(about.moments),
            )
            Match.objects.bulk_create(Match(upload=upload, **row._asdict()) for row in matches)
            Candidate.objects.bulk_create(
                Candidate(
                    upload=upload, signal_id=part.id, pairs=part.pairs, frame=part.frame, part=part.part, at=part.at
                )
                for part in asked
            )
            settle(upload)
            tell_bank(match.signal_id for match in matches)
            held = status is Upload.Status.HELD
            audit.record(actor, "upload.hold" if held else "upload.review", f"upload:{number}")
    except BaseException:
        pictures.delete(number)
        raise
    if matches:
        log_event("an upload is held" if held else "an upload is to be looked at", matches=len(matches))
    return upload


def _may_hold(row: _Row, signal: KnownSignal) -> bool:
    """Whether this match may keep an upload back before a person has looked: only where it is the very file, or all of
    it as it lies, within 31 bits; whatever the policy says."""
    is_whole = row.turn == TURNS[0] and (row.relation is None or row.relation["how"] == "same")
    is_same = is_whole and (row.distance is None or row.distance <= MATCH_DISTANCE)
    return is_same and not row.of_a_source and not signal.review_only and not signal.is_of_a_source


def forget_clear_uploads() -> int:
    """Delete the rows of uploads that matched nothing a week ago; returns how many."""
    old = Upload.objects.filter(
        status=Upload.Status.CLEAR,
        matches=None,
        candidates=None,
        received_at__lt=timezone.now() - CLEAR_UPLOADS_ARE_KEPT,
    )
    return old.delete()[0]


def delete_orphaned_copies() -> int:
    """Delete review copies whose time is over, or that a crash has left; returns of how many uploads.

    A copy stays while a match or an appeal waits, and until ``Upload.copy_until``.
    """
    copies = pictures.stored()
    needed = Q(copy_until=None) | Q(copy_until__gt=timezone.now()) | Q(appeals__status=Appeal.Status.OPEN)
    kept = set(Upload.objects.filter(needed, pk__in=copies).values_list("pk", flat=True))
    for orphan in copies - kept:
        pictures.delete(orphan)
    return len(copies - kept)
