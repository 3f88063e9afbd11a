"""NCMEC hash sharing v2, as docs/exchange.md tells it."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET, require_http_methods

from reclaim.bank.exchange import entries
from reclaim.bank.feedback import services as feedback
from reclaim.bank.feedback.queries import REASON_TAG, KeptFor
from reclaim.bank.ledger.services import close_second
from reclaim.bank.platforms.queries import access_platform
from reclaim.bank.platforms.services import note_delivery
from reclaim.protocol import ncmec_v2
from reclaim.protocol.stopncii_v1 import FeedbackValue
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.problems import problem

CLOCKS_APART = 2
"""Seconds that a client may ask ahead of the bank's clock: so far a fetch may move the seconds of all that comes. A
client goes on from the end that it asked for, so it cannot be answered up to an earlier one; the stock client asks for
nothing of its last five seconds, and may be that much further ahead."""
_REASONS = [str(reason) for reason in KeptFor if reason is not KeptFor.UNSAID]


def _answer(message: bytes) -> HttpResponse:
    return HttpResponse(message, content_type=ncmec_v2.CONTENT_TYPE)


@require_GET
@requires(Access.FETCH_KEY)
def status(request: HttpRequest) -> HttpResponse:
    """Who the asking platform is."""
    return _answer(ncmec_v2.status_message(entries.member(access_platform(request))))


@require_GET
@requires(Access.FETCH_KEY)
def members(request: HttpRequest) -> HttpResponse:
    """Who takes part."""
    return _answer(ncmec_v2.members_message(entries.members()))


@require_GET
@requires(Access.FETCH_KEY)
def fetch_entries(request: HttpRequest) -> HttpResponse:
    """A page of what changed from one second to another.

    The client takes the end that it asks for as its next start, whatever the page says. So that second is closed
    before anything is read: nothing that is committed later carries it.
    """
    platform = access_platform(request)
    try:
        query = ncmec_v2.EntriesQuery.read(request.GET.dict())
    except ValueError as error:
        return problem(400, "This query cannot be read", str(error))
    if query.end > time.time() + CLOCKS_APART:
        return problem(
            400,
            "«to» is in the future",
            f"What comes between now and then would be missed. Here it is {ncmec_v2.write_time(int(time.time()))}: "
            "set your clock, in UTC, and fetch again.",
        )
    if not query.after:
        feedback.note_fetch_start(platform)
    close_second(query.end)
    page, last = entries.entries(platform, query)
    if not page.next:
        # Whoever asks for a later page of a range was given the earlier ones: their addresses come from here alone.
        note_delivery(
            platform,
            from_position=0,
            from_second=query.start,
            to_position=last or query.after,
            to_second=query.end,
        )
    return _answer(ncmec_v2.entries_message(page))


def _no_such_fingerprint() -> HttpResponse:
    known = " or ".join(ncmec_v2.Fingerprint)
    return problem(404, "No such fingerprint", f"This bank has {known}, and each entry one of them.")


@require_GET
@requires(Access.FEEDBACK_KEY)
def feedback_reasons(request: HttpRequest, fingerprint: str) -> HttpResponse:
    """For which reasons a fingerprint can be called wrong."""
    if fingerprint not in ncmec_v2.Fingerprint.__members__.values():
        return _no_such_fingerprint()
    return _answer(ncmec_v2.reasons_message(ncmec_v2.Fingerprint(fingerprint), _REASONS))


@require_http_methods(["PUT"])
@requires(Access.FEEDBACK_KEY)
def submit_feedback(request: HttpRequest, member: int, entry: str, fingerprint: str) -> HttpResponse:
    """A platform's word on an entry: right is «blocked», wrong is «not blocked», for a reason."""
    platform = access_platform(request)
    record = entries.access_entry(platform, entry) if member == entries.BANK.id else None
    if record is None or record.value is None:
        return problem(404, "No such entry", "Fetch anew: it is gone, or was never this bank's.")
    if fingerprint != entries.fingerprint_of(record):
        return _no_such_fingerprint()
    try:
        guid = ncmec_v2.read_feedback(request.body)
    except ValueError as error:
        return problem(400, "This feedback cannot be read", str(error))
    by_guid = {ncmec_v2.reason_id(reason): reason for reason in _REASONS}
    if guid is None:
        word = feedback.Word(record.type, record.value, FeedbackValue.BLOCKED, [])
    elif guid in by_guid:
        word = feedback.Word(record.type, record.value, FeedbackValue.NOT_BLOCKED, [f"{REASON_TAG}{by_guid[guid]}"])
    else:
        return problem(400, "No such reason", f"The reasons are at feedback/{fingerprint}/reasons.")
    feedback.take_feedback(platform, [word])
    return _answer(ncmec_v2.feedback_taken_message())


urlpatterns = [
    path("v2/status", status, name="ncmec-status"),
    path("v2/members", members, name="ncmec-members"),
    path("v2/entries", fetch_entries, name="ncmec-entries"),
    path("v2/feedback/<str:fingerprint>/reasons", feedback_reasons, name="ncmec-reasons"),
    path("v2/entries/<int:member>/<str:entry>/<str:fingerprint>/feedback", submit_feedback, name="ncmec-feedback"),
]
