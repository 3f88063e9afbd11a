"""Reads on uploads and matches, and the only ways to get one."""

from __future__ import annotations

import uuid

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from reclaim.matching import Action, Policy
from reclaim.platform.inbox.models import Appeal, Decision, Match, Rules, Upload, UploadKey
from reclaim.sitekit.access import Access, check_for
from reclaim.sitekit.problems import problem
from reclaim.sitekit.secrets import mac

_SCHEME = "Bearer "
_LONGEST_KEY = 200


def upload_key_mac(key: str) -> bytes:
    """What is kept of an upload key. Looked up as a whole, so its time tells nothing about any part of a key."""
    return mac("upload-key", key.encode())


@check_for(Access.UPLOAD_KEY)
def _check_upload_key(request: HttpRequest) -> HttpResponse | None:
    given = request.headers.get("Authorization", "")
    key = given.removeprefix(_SCHEME)
    if given.startswith(_SCHEME) and len(key) <= _LONGEST_KEY:
        found = UploadKey.objects.filter(mac=upload_key_mac(key)).first()
        if found is not None:
            return None
    refused = problem(
        401,
        "This upload key is not known",
        "Send the key that «reclaim platform init» printed, as «Authorization: Bearer KEY».",
    )
    refused["WWW-Authenticate"] = "Bearer"
    return refused


def _number(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def access_upload(number: str) -> Upload | None:
    """An upload by its number, or ``None``, for a caller whose route's access has been checked."""
    wanted = _number(number)
    return Upload.objects.filter(pk=wanted).first() if wanted else None


def access_match(number: str) -> Match | None:
    """A match by its number, or ``None``, for a caller whose route's access has been checked."""
    wanted = _number(number)
    return (
        Match.objects.filter(pk=wanted)
        .select_related("upload", "signal")
        .defer("signal__frames", "signal__descriptors")
        .first()
        if wanted
        else None
    )


def access_appeal(number: str) -> Appeal | None:
    """An appeal by its number, or ``None``, for a caller whose route's access has been checked."""
    wanted = _number(number)
    return Appeal.objects.filter(pk=wanted).select_related("upload").first() if wanted else None


def open_matches() -> QuerySet[Match]:
    """Matches that wait for a decision, longest waiting first."""
    rows = (
        Match.objects.filter(status=Match.Status.OPEN)
        .select_related("upload", "signal")
        .defer("signal__frames", "signal__descriptors")
    )
    return rows.order_by("found_at", "pk")


def open_appeals() -> QuerySet[Appeal]:
    """Appeals that wait for a decision, longest waiting first."""
    return Appeal.objects.filter(status=Appeal.Status.OPEN).select_related("upload").order_by("received_at", "pk")


def rules() -> Rules:
    """The rules as they are; the defaults, unsaved, where nobody has set any."""
    return Rules.objects.filter(pk=1).first() or Rules(pk=1)


def policy_of(now: Rules, *, adult: bool | None) -> Policy:
    """What the rules ask of a match, of an upload that the platform says is adult content, is not, or does not say."""
    return Policy(
        views=now.views,
        review_distance=now.review_distance,
        partly_altered=Action.REVIEW if now.partly_altered == Rules.Altered.REVIEW else Action.NONE,
        sources=now.sources,
        adult=adult,
    )


def head_of(match: Match) -> Match:
    """The match whose decisions decided this one: itself, or the one of the same upload that was blocked."""
    return match.together or match


def head_of_upload(upload: Upload) -> Match | None:
    """The match by which an upload is blocked, or was before it was overturned."""
    decided = upload.matches.exclude(decided_at=None).filter(together=None)
    return decided.order_by("-decided_at", "pk").first()


def standing(match: Match) -> list[Decision]:
    """The decisions on a match that stand, in the order in which they were made."""
    return list(match.decisions.filter(appeal=None, undone_at=None).order_by("pk"))


def history(match: Match) -> list[Decision]:
    """Everything that was decided about a match, and about appeals of its upload, oldest first."""
    about = Q(match=head_of(match)) | Q(appeal__upload=match.upload_id)
    return list(Decision.objects.filter(about).select_related("appeal").order_by("pk"))


def has_decided(upload: Upload, actor: str) -> bool:
    """Whether somebody has ever decided about a match of this upload, also if it was undone."""
    return Decision.objects.filter(match__upload=upload, appeal=None, actor=actor).exists()


def is_to_be_seen(match: Match, actor: str, *, decides_appeals: bool) -> bool:
    """Whether there is a reason for this member to see the upload: it waits for people, or for them as an appeal."""
    if match.status == Match.Status.OPEN:
        return True
    waits = match.upload.appeals.filter(status=Appeal.Status.OPEN).exists()
    return waits and decides_appeals and not has_decided(match.upload, actor)


def last_decision(actor: str) -> Decision | None:
    """The latest decision of somebody on a match that stands."""
    rows = Decision.objects.filter(actor=actor, appeal=None, undone_at=None).select_related("match__upload")
    return rows.order_by("-pk").first()
