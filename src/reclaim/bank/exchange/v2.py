"""The native exchange, version 2, as docs/exchange-v2.md tells it."""

from __future__ import annotations

import datetime
from base64 import b64encode
from collections.abc import Callable, Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import Body, Query, Router
from pydantic import BaseModel
from pydantic_core import to_json

import reclaim
from reclaim.bank.exchange import cursors, snapshots
from reclaim.bank.exchange.identity import bank_id, public_key
from reclaim.bank.exchange.ranges import file_answer
from reclaim.bank.exchange.records import wire_records
from reclaim.bank.exchange.words import (
    IN_PLACE,
    NO_FIND,
    NOT_ITS_NAME,
    NOT_OPENED,
    REASON_ALONE,
    TOO_POOR,
    UNKNOWN,
    WITHDRAWN,
    fault_of,
)
from reclaim.bank.feedback import services as feedback
from reclaim.bank.feedback.queries import REASON_TAG, acknowledge_by, owed_by
from reclaim.bank.ledger.queries import between, changes, standing
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.queries import access_platform, may_have_sources, scopes_of, scopes_of_all_keys
from reclaim.bank.push.address import events_address
from reclaim.bank.screening.queries import Candidate, screen
from reclaim.protocol import native_v2 as wire
from reclaim.protocol.stopncii_v1 import FeedbackValue
from reclaim.signals import parse_md5, parse_pdq
from reclaim.signals.descriptors import parse_name
from reclaim.signals.frames import frames_text, name_of_frames, parse_vpdq, vpdq_value
from reclaim.signals.values import POOR_QUALITY
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.problems import problem

router = Router()

MOST_OWED_SHOWN = wire.LARGEST_SUBMISSION
PARQUET = "application/vnd.apache.parquet"
_MAKING_SECONDS = 2
_PARSERS = {
    "pdq": parse_pdq,
    "md5": parse_md5,
    "vpdq": parse_vpdq,
    "descriptors": parse_name,
    "source": parse_pdq,
}
_DECISIONS = {
    "pending": FeedbackValue.PENDING_REVIEW,
    "blocked": FeedbackValue.BLOCKED,
    "not-blocked": FeedbackValue.NOT_BLOCKED,
}


def _answer(message: BaseModel, status: int = 200) -> HttpResponse:
    return HttpResponse(wire.as_json(message), status=status, content_type="application/json")


@router.get("/", url_name="v2-about", response={200: wire.About})
@requires(Access.PUBLIC)
def about(request: HttpRequest) -> HttpResponse:
    """What this bank is, and what it asks of platforms."""
    return _answer(
        wire.About(
            bank=settings.NAME,
            bank_id=str(bank_id()),
            software=f"reclaim {reclaim.__version__}",
            staging=settings.STAGING,
            events=events_address(request),
            acknowledge_within_seconds=settings.ACKNOWLEDGE_WITHIN,
            tombstones_kept_seconds=int(feedback.TOMBSTONE_RETENTION.total_seconds()),
            largest_page=wire.LARGEST_PAGE,
            largest_submission=wire.LARGEST_SUBMISSION,
            snapshot_key=b64encode(public_key()).decode(),
        )
    )


# The feed


@router.get("/signals", url_name="v2-signals", response={200: wire.SignalsPage, 410: wire.Problem, 422: wire.Problem})
@requires(Access.FETCH_KEY)
def signals(request: HttpRequest, query: Query[wire.SignalsQuery]) -> HttpResponse:
    """One page of the feed, in the order in which signals changed. Asking with a cursor says: I have stored it all."""
    for kind in wire.EXTRA_TYPES:
        if kind in query.wanted and wire.EXTRA_SCOPES[kind] not in scopes_of(request):
            return _not_opened(kind)
    platform, now = access_platform(request), standing()
    if query.after is None:
        cursor = cursors.beginning(query, now)
    else:
        try:
            cursor = cursors.read_cursor(query.after, platform)
            cursors.check_cursor(cursor, query, now, _oldest(platform))
        except cursors.GoneError as error:
            return _gone(str(error))
        except ValueError as error:
            return problem(422, "Unknown cursor", f"{error} Send the cursor of your last page as it is, or none.")
    stored = feedback.Stored(cursor.position, cursor.second, cursor.everything) if cursor.complete else None
    extra = not query.wanted.isdisjoint(wire.EXTRA_TYPES)
    if extra:
        feedback.note_extra_fetch(platform, query.wanted, stored)
    else:
        feedback.note_fetch(platform, stored, videos="vpdq" in query.wanted)
    page = changes(platform, cursor.position, min(query.limit, wire.LARGEST_PAGE), query.wanted)
    # Within a page by value: what is written down of it shows no order in which signals came in.
    records = sorted(
        wire_records(
            page.records,
            between(cursor.position, page.end),
            query.least_trust,
            sources=extra and may_have_sources(platform),
        ),
        key=lambda record: (record["value"], record["type"]),
    )
    if page.has_more:
        position, second = page.end or (cursor.position, cursor.second)
    else:
        # The clock was read before the page: whatever had changed by then is on it, or was given before.
        position, second = max((now.position, now.second), page.end or (0, 0), (cursor.position, cursor.second))
    after = cursors.going_on(cursor, query, position, second, complete=not page.has_more)
    told = {"records": records, "cursor": after.encode(platform), "has_more": page.has_more}
    return HttpResponse(to_json(told), content_type="application/json")


def _not_opened(kind: wire.ExtraType) -> HttpResponse:
    scope = wire.EXTRA_SCOPES[kind]
    return problem(
        403,
        "This key does not open that type",
        f"Use a key with the scopes «fetch» and «{scope}» for the type «{kind}»; ask the bank for one.",
    )


def _oldest(platform: Platform) -> int:
    """Epoch milliseconds of the oldest good cursor: tombstones since are in the feed, and the platform was vetted."""
    kept = timezone.now() - feedback.TOMBSTONE_RETENTION + datetime.timedelta(minutes=1)
    return int(max(kept, platform.vetted_at).timestamp() * 1000)


def _gone(why: str) -> HttpResponse:
    detail = f"{why} Take a snapshot (GET snapshot), drop what it does not have, and go on from its cursor."
    return problem(410, "This cursor leads nowhere any more", detail, type=wire.CURSOR_GONE)


@router.get("/snapshot", url_name="v2-snapshot", response={200: wire.Envelope, 202: wire.InTheMaking})
@requires(Access.FETCH_KEY)
def snapshot(request: HttpRequest) -> HttpResponse:
    """The signed manifest of a snapshot of everything that is in place; 202 while it is being made."""
    platform = access_platform(request)
    ready = snapshots.fresh_snapshot(platform)
    if ready is None:
        snapshots.want_snapshot(platform)
        answer = _answer(wire.InTheMaking(state="making"), status=202)
        answer["Retry-After"] = str(_MAKING_SECONDS)
        return answer
    # Frames of videos are among it.
    feedback.note_fetch(platform, None, videos=True)
    return _answer(snapshots.manifest(ready, platform))


@router.get(
    "/snapshot/{snapshot_id}/{name}",
    url_name="v2-snapshot-part",
    response={404: wire.Problem, 416: wire.Problem},
    openapi_extra={
        "responses": {
            200: {"description": "The part", "content": {PARQUET: {}}},
            206: {"description": "The range of it that was asked for", "content": {PARQUET: {}}},
            304: {"description": "You have it already"},
        }
    },
)
@requires(Access.FETCH_KEY)
def snapshot_part(request: HttpRequest, snapshot_id: str, name: str) -> HttpResponseBase:
    """One part of a snapshot, as Parquet; also a range of it, so that a download that was cut off goes on."""
    found = snapshots.access_part(access_platform(request), snapshot_id, name)
    if found is None:
        return problem(404, "There is no such part any more", "Ask for the snapshot's manifest again (GET snapshot).")
    path, part = found
    return file_answer(request, path, part.sha256, PARQUET)


@router.post("/signals", url_name="v2-submit", response={200: wire.Taken, 422: wire.Problem})
@requires(Access.SUBMIT_KEY)
def submit_signals(request: HttpRequest, message: Body[wire.SubmitSignals]) -> HttpResponse:
    """Signals that a platform found by itself."""
    refused: list[wire.Refusal] = []
    finds, indexes = [], []
    verdicts = screen([Candidate(each.type, each.value, tuple(each.frames)) for each in message.signals])
    for index, (each, verdict) in enumerate(zip(message.signals, verdicts, strict=True)):
        poor = each.type == "pdq" and each.quality is not None and each.quality < POOR_QUALITY
        fault = TOO_POOR if poor else fault_of(verdict)
        value = verdict.value
        if fault is None and each.type == "vpdq":
            value = vpdq_value(verdict.frames)
            fault = None if name_of_frames(each.frames) == each.value.lower() else NOT_ITS_NAME
        if fault is not None:
            refused.append(wire.Refusal(index=index, reason=fault))
            continue
        frames = frames_text(verdict.frames)
        finds.append(feedback.Find(each.type, value, frames, each.quality, "made-with-ai" in each.labels))
        indexes.append(index)
    withdrawn = feedback.take_finds(access_platform(request), finds)
    refused += [wire.Refusal(index=indexes[place], reason=WITHDRAWN) for place in withdrawn]
    return _taken(len(message.signals), refused)


def _taken(sent: int, refused: list[wire.Refusal]) -> HttpResponse:
    ordered = sorted(refused, key=lambda refusal: refusal.index)
    return _answer(wire.Taken(taken=sent - len(ordered), refused=ordered))


# What platforms say


@router.post("/feedback", url_name="v2-feedback", response={200: wire.Taken, 422: wire.Problem})
@requires(Access.FEEDBACK_KEY)
def submit_feedback(request: HttpRequest, message: Body[wire.SubmitFeedback]) -> HttpResponse:
    """A platform's words on signals of the feed; each replaces its earlier one on the same signal."""
    refused: list[wire.Refusal] = []
    words, indexes = [], []
    extra = any(each.type in wire.EXTRA_TYPES for each in message.feedback)
    opened = scopes_of_all_keys(access_platform(request)) if extra else frozenset()
    for index, each in enumerate(message.feedback):
        try:
            value = _PARSERS[each.type](each.value)
        except ValueError as error:
            refused.append(wire.Refusal(index=index, reason=str(error)))
            continue
        scope = wire.EXTRA_SCOPES.get(each.type)
        if scope is not None and scope not in opened:
            refused.append(wire.Refusal(index=index, reason=NOT_OPENED))
            continue
        if each.reason is not None and each.decision != "not-blocked":
            refused.append(wire.Refusal(index=index, reason=REASON_ALONE))
            continue
        words.append(
            feedback.Word(
                each.type,
                value,
                _DECISIONS[each.decision],
                [REASON_TAG + each.reason] if each.reason else [],
                each.distance,
                each.count,
                each.action or "",
                each.decided_by,
            )
        )
        indexes.append(index)
    unknown = feedback.take_feedback(access_platform(request), words)
    refused += [wire.Refusal(index=indexes[place], reason=UNKNOWN) for place in unknown]
    return _taken(len(message.feedback), refused)


@router.post("/acknowledgements", url_name="v2-acknowledge", response={200: wire.Taken, 422: wire.Problem})
@requires(Access.FEEDBACK_KEY)
def submit_acknowledgements(request: HttpRequest, message: Body[wire.SubmitAcknowledgements]) -> HttpResponse:
    """Withdrawn signals whose copies the platform has deleted, and that is stored."""
    return _each(request, message.acknowledgements, feedback.acknowledge, IN_PLACE)


@router.post("/withdrawals", url_name="v2-withdraw", response={200: wire.Taken, 422: wire.Problem})
@requires(Access.SUBMIT_KEY)
def submit_withdrawals(request: HttpRequest, message: Body[wire.SubmitWithdrawals]) -> HttpResponse:
    """Finds of its own that the platform takes back."""
    return _each(request, message.withdrawals, feedback.take_back, NO_FIND)


def _each(
    request: HttpRequest,
    sent: Sequence[wire.SignalName | wire.FindName],
    take: Callable[[Platform, list[tuple[str, str]]], list[int]],
    reason: str,
) -> HttpResponse:
    """Take these signals; ``take`` returns the indexes of those that are refused for ``reason``."""
    refused: list[wire.Refusal] = []
    names, indexes = [], []
    for index, each in enumerate(sent):
        try:
            names.append((str(each.type), _PARSERS[each.type](each.value)))
            indexes.append(index)
        except ValueError as error:
            refused.append(wire.Refusal(index=index, reason=str(error)))
    refused += [wire.Refusal(index=indexes[place], reason=reason) for place in take(access_platform(request), names)]
    return _taken(len(sent), refused)


@router.get("/acknowledgements", url_name="v2-owed", response={200: wire.Owed, 422: wire.Problem})
@requires(Access.FEEDBACK_KEY)
def owed_acknowledgements(request: HttpRequest, query: Query[wire.OwedQuery]) -> HttpResponse:
    """Withdrawn signals that the platform has not acknowledged, the longest owed first."""
    owed = owed_by(access_platform(request), query.wanted).order_by("withdrawn_at", "pk")
    rows = list(owed.values_list("type", "value", "withdrawn_at")[: MOST_OWED_SHOWN + 1])
    shown = [
        wire.OwedAcknowledgement(type=kind, value=value, withdrawn_at=at, acknowledge_by=acknowledge_by(at))
        for kind, value, at in rows[:MOST_OWED_SHOWN]
        if at is not None
    ]
    return _answer(wire.Owed(owed=shown, has_more=len(rows) > MOST_OWED_SHOWN))
