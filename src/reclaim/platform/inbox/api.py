"""The HTTP API for the platform's own systems; docs/platform.md describes it."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from reclaim.platform.inbox import deciding, services
from reclaim.platform.inbox.body import BodyError, read_picture
from reclaim.platform.inbox.deciding import API_ACTOR, AlreadyDecidedError, Decider, NotDecidedError, TwoPeopleError
from reclaim.platform.inbox.models import Appeal, Decision, Match, Upload
from reclaim.platform.inbox.queries import access_match, access_upload, open_matches
from reclaim.signals import EmptyFile, PictureTooLarge, SignalError, VideoTooLarge
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.problems import invalid_message, problem

MOST_MATCHES = 500


def plain_text(text: str) -> str:
    """The text, if it holds no control characters but line ends; raises ``ValueError``."""
    if not all(character.isprintable() or character in "\r\n\t" for character in text):
        raise ValueError("Only printable characters and line ends.")
    return text


class UploadQuery(BaseModel):
    """The query of an upload."""

    model_config = ConfigDict(extra="forbid")

    adult: bool | None = None


class DecisionMessage(BaseModel):
    """The body of a decision."""

    model_config = ConfigDict(extra="forbid")

    decision: Decision.Verdict
    reason: Decision.Reason | None = None
    """Why it is not blocked."""
    reviewer: Annotated[str, Field(min_length=1, max_length=80), AfterValidator(plain_text)]
    note: Annotated[str, Field(max_length=500), AfterValidator(plain_text)] = ""


class AppealMessage(BaseModel):
    """The body of an appeal."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(plain_text)]


def match_as_json(match: Match) -> dict[str, Any]:
    """A match, without its signal's value: whoever reads it needs the picture, not the signal."""
    return {
        "match": str(match.pk),
        "upload": str(match.upload_id),
        "status": match.status,
        "distance": match.distance,
        "query_percent": match.query_percent,
        "video_percent": match.video_percent,
        "turn": match.turn,
        "quality": match.quality,
        "relation": relation_as_json(match),
        "unchecked": match.unchecked,
        "of_a_source": match.of_a_source,
        "found_at": match.found_at.isoformat(timespec="seconds"),
    }


def relation_as_json(match: Match) -> dict[str, Any] | None:
    """How the upload relates to the known picture, with a sentence for people; ``None`` where nobody can say."""
    relation = match.related
    return None if relation is None else {**relation.model_dump(mode="json"), "sentence": relation.sentence}


def upload_as_json(upload: Upload) -> dict[str, Any]:
    """An upload with its answer and its matches, nearest first."""
    matches = upload.matches.order_by(
        F("distance").asc(nulls_last=True), F("query_percent").desc(nulls_last=True), "pk"
    )
    return {
        "upload": str(upload.pk),
        "kind": upload.kind,
        "status": deciding.answer_of(upload, timezone.now()).value,
        "under_review": any(match.status == Match.Status.OPEN for match in matches) or upload.candidates.exists(),
        "adult": upload.adult,
        "quality": upload.quality,
        "poor_quality": upload.poor,
        "matches": [match_as_json(match) for match in matches],
    }


@require_POST
@requires(Access.UPLOAD_KEY)
def uploads(request: HttpRequest) -> HttpResponse:
    """Match one picture or video; ``?adult=`` is what the platform's own classifier or moderator says of it."""
    try:
        asked = UploadQuery.model_validate(request.GET.dict())
    except ValidationError as error:
        return invalid_message(error)
    try:
        upload = services.take_upload(read_picture(request), API_ACTOR, adult=asked.adult)
    except BodyError as error:
        return problem(error.status, error.title, error.sentence)
    except (PictureTooLarge, VideoTooLarge) as error:
        return problem(413, "This upload is too large", str(error))
    except EmptyFile as error:
        return problem(422, "This upload is empty", str(error))
    except services.BusyError:
        busy = problem(503, "Other videos are being read", "Nothing was taken. Send it again in half a minute.")
        busy["Retry-After"] = str(services.RETRY_SECONDS)
        return busy
    except SignalError as error:
        return problem(422, "This cannot be matched", str(error))
    return JsonResponse(upload_as_json(upload), status=201)


@require_GET
@requires(Access.UPLOAD_KEY)
def upload(request: HttpRequest, number: str) -> HttpResponse:
    """Where one upload stands."""
    found = access_upload(number)
    return JsonResponse(upload_as_json(found)) if found else _unknown("upload")


@require_GET
@requires(Access.UPLOAD_KEY)
def matches(request: HttpRequest) -> HttpResponse:
    """Matches that wait for a decision, longest waiting first."""
    found = list(open_matches()[: MOST_MATCHES + 1])
    return JsonResponse(
        {"matches": [match_as_json(match) for match in found[:MOST_MATCHES]], "more": len(found) > MOST_MATCHES}
    )


@require_POST
@requires(Access.UPLOAD_KEY)
def decision(request: HttpRequest, number: str) -> HttpResponse:
    """Decide one match."""
    try:
        message = DecisionMessage.model_validate_json(request.body)
    except ValidationError as error:
        return invalid_message(error)
    match = access_match(number)
    if match is None:
        return _unknown("match")
    by = Decider(message.reviewer, API_ACTOR)
    try:
        decided = deciding.decide(match.pk, message.decision, by, note=message.note, reason=message.reason)
    except AlreadyDecidedError as error:
        return problem(409, "Nothing to decide", str(error))
    except TwoPeopleError as error:
        return problem(409, "Two people decide this", str(error))
    status = deciding.answer_of(decided.upload, timezone.now())
    return JsonResponse(match_as_json(decided) | {"upload_status": status.value})


def appeal_as_json(appeal: Appeal) -> dict[str, Any]:
    """An appeal and its answer, without the uploader's words."""
    decided = appeal.decided_at
    return {
        "appeal": str(appeal.pk),
        "upload": str(appeal.upload_id),
        "status": appeal.status,
        "received_at": appeal.received_at.isoformat(timespec="seconds"),
        "decided_at": decided.isoformat(timespec="seconds") if decided else None,
        "answer": appeal.answer,
    }


@require_http_methods(["GET", "POST"])
@requires(Access.UPLOAD_KEY)
def appeal(request: HttpRequest, number: str) -> HttpResponse:
    """The uploader asks again about a blocked upload; or how the latest such question stands."""
    upload = access_upload(number)
    if upload is None:
        return _unknown("upload")
    if request.method == "GET":
        last = upload.appeals.order_by("-received_at", "-pk").first()
        return JsonResponse(appeal_as_json(last)) if last else problem(404, "Nobody asked", "Nobody has asked again.")
    try:
        message = AppealMessage.model_validate_json(request.body)
        made = deciding.make_appeal(upload.pk, message.text, API_ACTOR)
    except ValidationError as error:
        return invalid_message(error)
    except NotDecidedError as error:
        return problem(409, "This cannot be asked", str(error))
    return JsonResponse(appeal_as_json(made), status=201)


@require_POST
@requires(Access.UPLOAD_KEY)
def carried_out(request: HttpRequest, number: str) -> HttpResponse:
    """The platform's own systems have done for good what was decided."""
    upload = access_upload(number)
    if upload is None:
        return _unknown("upload")
    try:
        return JsonResponse(upload_as_json(deciding.note_carried_out(upload.pk, API_ACTOR)))
    except NotDecidedError as error:
        return problem(409, "Nothing to carry out", str(error))


def _unknown(what: str) -> HttpResponse:
    return problem(404, f"There is no such {what}", f"Use the number that came with the {what}.")
