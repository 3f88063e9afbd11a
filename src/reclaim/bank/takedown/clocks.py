"""The clocks that law gives whoever was asked, kept beside the request."""

from __future__ import annotations

import datetime

from django.db.models import Min

from reclaim.bank.law.clocks import Event, running
from reclaim.bank.takedown.models import RunningClock, TakedownRequest
from reclaim.bank.takedown.routes import countries_of

_NOBODY_BOUND = (TakedownRequest.Route.SEARCH, TakedownRequest.Route.REGISTRAR)
"""Routes to whom no law in the table sets a time: theirs are for whoever holds the picture, and for authorities."""


def start(request: TakedownRequest) -> None:
    """Write down the clocks that run since a request went out, or since somebody answered that it arrived, and when
    the first of them ends. In the caller's transaction."""
    if request.sent_at is None or request.route in _NOBODY_BOUND:
        return
    # A form takes it, or says that it does not. When a mail arrived nobody tells; by an answer it had.
    received = request.answered_at if request.by_mail else request.sent_at
    if request.route == TakedownRequest.Route.REGULATOR:
        # What an authority is told, no platform has received.
        events = {Event.REPORT_TO_AUTHORITY: received}
    else:
        events = {Event.REQUEST_SENT: request.sent_at, Event.REQUEST_RECEIVED: received}
    happened = {event: at for event, at in events.items() if at is not None}
    kept = set(request.clocks.values_list("law", flat=True))
    RunningClock.objects.bulk_create(
        RunningClock(
            request=request,
            organisation_id=request.organisation_id,
            law=clock.row_key,
            law_name=clock.law_name,
            country=clock.country,
            starts_at=clock.starts_at,
            ends_at=clock.ends_at,
            basis=clock.basis,
            authority=clock.authority,
            reviewed=clock.reviewed,
        )
        for clock in running(countries_of(request.link), happened)
        if clock.row_key not in kept
    )
    first = first_end(request)
    if first is not None and request.remind_at is not None and first < request.remind_at:
        request.remind_at = first
        request.save(update_fields=["remind_at"])


def first_end(request: TakedownRequest) -> datetime.datetime | None:
    """When the first of a request's clocks ends; ``None`` if it has none."""
    first: datetime.datetime | None = request.clocks.aggregate(first=Min("ends_at"))["first"]
    return first
