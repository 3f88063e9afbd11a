"""StopNCII v1, as docs/exchange.md tells it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST
from pydantic import BaseModel, ValidationError

from reclaim.bank.cases.queries import made_with_ai
from reclaim.bank.exchange.words import UNKNOWN, WITHDRAWN, fault_of
from reclaim.bank.feedback import services as feedback
from reclaim.bank.feedback.models import Feedback as FeedbackRow
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.ledger.queries import feed_page, names_of_videos
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.queries import access_platform
from reclaim.bank.platforms.services import note_delivery
from reclaim.bank.screening.queries import Candidate, screen
from reclaim.protocol.stopncii_v1 import (
    MADE_WITH_AI,
    MAX_PAGE_SIZE,
    REVIEW_ONLY,
    Feedback,
    FeedbackValue,
    FetchHashesQuery,
    FetchHashesResponse,
    HashRecord,
    HashStatus,
    PageToken,
    Refusal,
    SignalType,
    SubmissionResponse,
    SubmitFeedbackRequest,
    SubmitHashesRequest,
)
from reclaim.signals import parse_md5, parse_pdq
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.problems import invalid_message, problem
from reclaim.sitekit.secrets import mac

Message = TypeVar("Message", bound=BaseModel)

_WIRE_TYPE = {
    LedgerRecord.Type.PDQ.value: SignalType.IMAGE_PDQ,
    LedgerRecord.Type.MD5.value: SignalType.VIDEO_MD5,
    LedgerRecord.Type.VPDQ.value: SignalType.VIDEO_VPDQ,
}
_BANK_TYPE = {wire: bank for bank, wire in _WIRE_TYPE.items()}
_WIRE_STATUS = {
    LedgerRecord.Status.ACTIVE.value: HashStatus.ACTIVE,
    LedgerRecord.Status.WITHDRAWN.value: HashStatus.WITHDRAWN,
}


def _answer(message: BaseModel) -> HttpResponse:
    return HttpResponse(message.model_dump_json(), content_type="application/json")


def _pseudonym(platform: Platform, source_id: uuid.UUID) -> str:
    """A name for one picture of one case that no other platform, record or case shares."""
    return str(uuid.UUID(bytes=mac("case-pseudonym", platform.pk.to_bytes(8, "big") + source_id.bytes)[:16], version=4))


def _wire_record(platform: Platform, record: LedgerRecord, said: list[FeedbackRow], labels: list[str]) -> HashRecord:
    return HashRecord(
        lastModtimestamp=record.modified_at,
        signalType=_WIRE_TYPE[record.type],
        hashValue=record.value or "",
        hashStatus=_WIRE_STATUS[record.status],
        caseNumbers={
            _pseudonym(platform, source.pk): HashStatus.ACTIVE if source.active else HashStatus.WITHDRAWN
            for source in record.sources.all()
            if source.platform_id is None
        },
        CSPFeedbacks=[
            Feedback(source=row.platform.name, feedbackValue=FeedbackValue(row.value), tags=row.tags) for row in said
        ],
        frames=record.frames,
        labels=labels,
    )


def _labels(record: LedgerRecord, by_ai: set[int]) -> list[str]:
    return [*([MADE_WITH_AI] if record.pk in by_ai else []), *([REVIEW_ONLY] if record.review_only else [])]


@require_GET
@requires(Access.FETCH_KEY)
def fetch_hashes(request: HttpRequest) -> HttpResponse:
    """One page of the feed, oldest change first."""
    platform = access_platform(request)
    try:
        query = FetchHashesQuery.model_validate(request.GET.dict())
        token = PageToken.decode(query.nextPageToken) if query.nextPageToken else None
    except ValidationError as error:
        return invalid_message(error)
    except ValueError as error:
        return problem(400, "Unknown page token", f"{error} Start again from your last nextSetTimestamp.")
    if token is None:
        feedback.note_fetch_start(platform)
    page = feed_page(
        platform, query.startTimestamp, token, min(query.pageSize, MAX_PAGE_SIZE), videos=query.wants_videos
    )
    said: dict[int, list[FeedbackRow]] = {}
    for row in FeedbackRow.objects.filter(record__in=page.records).select_related("platform").order_by("platform"):
        said.setdefault(row.record_id, []).append(row)
    if page.records:
        last = page.records[-1]
        end = PageToken(modified_at=last.modified_at, position=last.position)
        note_delivery(
            platform,
            from_position=token.position if token else 0,
            from_second=query.startTimestamp,
            to_position=end.position,
            to_second=end.modified_at,
            videos=query.wants_videos,
        )
    else:
        # Nothing after the token (its records have moved on): never earlier than what the client has seen.
        end = token or PageToken(modified_at=query.startTimestamp, position=0)
    by_ai = made_with_ai(record.pk for record in page.records)
    return _answer(
        FetchHashesResponse(
            count=len(page.records),
            nextPageToken=end.encode() if page.has_more else None,
            nextSetTimestamp=max(end.modified_at, query.startTimestamp),
            hasMoreRecords=page.has_more,
            hashRecords=[
                _wire_record(platform, record, said.get(record.pk, []), _labels(record, by_ai))
                for record in page.records
            ],
        )
    )


def _read(model: type[Message], request: HttpRequest) -> Message | HttpResponse:
    try:
        return model.model_validate_json(request.body)
    except ValidationError as error:
        return invalid_message(error)


def _parse_value(signal_type: SignalType, value: str) -> tuple[str, str]:
    """The bank's type and value; raises ``ValueError`` with a sentence for the platform."""
    parsers: dict[SignalType, Callable[[str], str]] = {
        SignalType.IMAGE_PDQ: parse_pdq,
        SignalType.VIDEO_MD5: parse_md5,
    }
    parse = parsers.get(signal_type)
    if parse is None:
        raise ValueError(f"This bank keeps no signals of type {signal_type}; send {' or '.join(parsers)}.")
    return _BANK_TYPE[signal_type], parse(value)


def _submission(taken: int, refused: list[Refusal]) -> HttpResponse:
    return _answer(SubmissionResponse(count=taken, refused=sorted(refused, key=lambda refusal: refusal.index)))


@require_POST
@requires(Access.SUBMIT_KEY)
def submit_hashes(request: HttpRequest) -> HttpResponse:
    """Signals that a platform found by itself."""
    message = _read(SubmitHashesRequest, request)
    if isinstance(message, HttpResponse):
        return message
    refused: list[Refusal] = []
    parsed: dict[int, Candidate] = {}
    for index, entry in enumerate(message.hashRecords):
        try:
            parsed[index] = Candidate(*_parse_value(entry.signalType, entry.hashValue))
        except ValueError as error:
            refused.append(Refusal(index=index, reason=str(error)))
    finds, indexes = [], []
    for (index, candidate), verdict in zip(parsed.items(), screen(list(parsed.values())), strict=True):
        if fault := fault_of(verdict):
            refused.append(Refusal(index=index, reason=fault))
            continue
        entry = message.hashRecords[index]
        said = entry.CSPFeedbacks[0] if entry.CSPFeedbacks else None
        word = feedback.Word(
            candidate.type,
            candidate.value,
            said.feedbackValue if said else FeedbackValue.NONE,
            said.tags if said else [],
        )
        finds.append(feedback.Find(candidate.type, candidate.value, word=word))
        indexes.append(index)
    withdrawn = feedback.take_finds(access_platform(request), finds)
    refused += [Refusal(index=indexes[place], reason=WITHDRAWN) for place in withdrawn]
    return _submission(len(finds) - len(withdrawn), refused)


@require_POST
@requires(Access.FEEDBACK_KEY)
def submit_feedback(request: HttpRequest) -> HttpResponse:
    """A platform's words on signals of the feed."""
    message = _read(SubmitFeedbackRequest, request)
    if isinstance(message, HttpResponse):
        return message
    words, refused, indexes = [], [], []
    videos = names_of_videos(entry.hashValue.lower() for entry in message.hashFeedbacks)
    for index, entry in enumerate(message.hashFeedbacks):
        # No type comes with feedback. MD5 is shorter than the others, and what names a video is nobody's PDQ.
        signal_type = SignalType.IMAGE_PDQ if len(entry.hashValue) == 64 else SignalType.VIDEO_MD5
        try:
            bank_type, value = _parse_value(signal_type, entry.hashValue)
        except ValueError as error:
            refused.append(Refusal(index=index, reason=str(error)))
            continue
        if value in videos:
            bank_type = LedgerRecord.Type.VPDQ.value
        words.append(feedback.Word(bank_type, value, entry.feedbackValue, entry.tags))
        indexes.append(index)
    unknown = feedback.take_feedback(access_platform(request), words)
    refused += [Refusal(index=indexes[place], reason=UNKNOWN) for place in unknown]
    return _submission(len(words) - len(unknown), refused)
