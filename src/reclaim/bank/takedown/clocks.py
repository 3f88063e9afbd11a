"""The clocks that law gives whoever was asked, kept beside the request."""

from __future__ import annotations

import datetime

from django.db.models import Min

from reclaim.bank.law.clocks import Event, running
from reclaim.bank.takedown.models import RunningClock, TakedownRequest
from reclaim.bank.takedown.routes import countries_of


def start(request: TakedownRequest) -> None:
    """Write down the clocks that run since a request went out, or since somebody answered that it arrived, and when
    the first of them ends. In the caller's transaction."""
    if request.sent_at is None:
        return
    events = {Event.REQUEST_SENT: request.sent_at}
    if not request.by_mail:
        # A form takes it, or says that it does not.
        events[Event.REQUEST_RECEIVED] = request.sent_at
    elif request.answered_at is not None:
        # Nobody tells when it arrived; by then it had.
        events[Event.REQUEST_RECEIVED] = request.answered_at
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
        for clock in running(countries_of(request.link), events)
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
