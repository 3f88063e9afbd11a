"""Reads on uploads and matches, and the only ways to get one."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from reclaim.platform.inbox.models import Match, Upload, UploadKey
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
        Match.objects.filter(pk=wanted).select_related("upload", "signal").defer("signal__frames").first()
        if wanted
        else None
    )


def open_matches() -> QuerySet[Match]:
    """Matches that wait for a decision, longest waiting first."""
    rows = Match.objects.filter(status=Match.Status.OPEN).select_related("upload", "signal").defer("signal__frames")
    return rows.order_by("found_at", "pk")
