"""Reads and exports beyond what one person's work asks for: the second factor again, an alarm, and in the end a stop.

Counted in the database before they are allowed, so that an error there refuses.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from reclaim.bank.organisations.models import Alarm, Organisation, Practitioner
from reclaim.sitekit import audit
from reclaim.sitekit.events import GetResponse, log_event
from reclaim.sitekit.limits import note, times_noted
from reclaim.sitekit.permissions import FRESH_SECONDS, page_of
from reclaim.sitekit.problems import problem, refusal, wants_page

if TYPE_CHECKING:
    from uuid import UUID

DAY = 24 * 3600


@dataclass(frozen=True)
class Quota:
    """How much in ``window`` seconds is usual (``alarm``), and how much is too much (``stop``)."""

    window: int
    alarm: int
    stop: int


READS = (Quota(3600, 40, 120), Quota(DAY, 120, 360))
"""Of different case files."""
EXPORTS = (Quota(DAY, 2, 5),)


class ShowFactorAgainError(Exception):
    """More than usual: the second factor is asked for before any more."""


class StoppedError(Exception):
    """Too much: nothing more until somebody else has closed the alarm, or the time is over."""


def note_read(practitioner: Practitioner, case_file: UUID | None = None) -> None:
    """Count the reading of a case file; the same one again within the hour does not count. Call it before what was read
    is shown, outside a transaction. Raises ``ShowFactorAgainError``, ``StoppedError``, which ``AskAgain`` answers."""
    if case_file is not None:
        same = f"{practitioner.pk}:{case_file}".encode()
        if times_noted("case file, practitioner", same, 3600, 1):
            return
        note("case file, practitioner", same)
    _note(practitioner, Alarm.Kind.READS, READS)


def note_export(practitioner: Practitioner) -> None:
    """Count an export, as ``note_read``."""
    _note(practitioner, Alarm.Kind.EXPORTS, EXPORTS)


def _note(practitioner: Practitioner, kind: Alarm.Kind, quotas: tuple[Quota, ...]) -> None:
    rule, counted = f"practitioner, {kind}", str(practitioner.pk).encode()
    note(rule, counted)
    closed = Alarm.objects.filter(practitioner=practitioner, kind=kind).exclude(closed_at=None).order_by("-closed_at")
    last = closed.values_list("closed_at", flat=True).first()
    since_closed = time.time() - last.timestamp() if last else DAY
    within = usual = True
    for quota in quotas:
        times = times_noted(rule, counted, int(min(quota.window, since_closed)), quota.stop + 1)
        usual, within = usual and times <= quota.alarm, within and times <= quota.stop
    if usual:
        return
    _raise_alarm(practitioner, kind)
    if not within:
        raise StoppedError
    if time.time() - practitioner.factor_at > FRESH_SECONDS:
        raise ShowFactorAgainError


def _raise_alarm(practitioner: Practitioner, kind: Alarm.Kind) -> None:
    try:
        with transaction.atomic():
            _, raised = Alarm.objects.get_or_create(practitioner=practitioner, kind=kind, closed_at=None)
            if raised:
                audit.record(practitioner.actor, f"alarm.{kind}", practitioner.actor)
    except IntegrityError:
        return
    if raised:
        log_event("a practitioner reads or exports more than usual", practitioner=practitioner.pk)


def open_alarms(organisation: Organisation | None = None) -> list[Alarm]:
    """Alarms that nobody has closed, of one organisation or of all, the oldest first."""
    found = Alarm.objects.filter(closed_at=None).select_related("practitioner__member", "practitioner__organisation")
    if organisation is not None:
        found = found.filter(practitioner__organisation=organisation)
    return list(found.order_by("raised_at"))


class OwnAlarmError(Exception):
    """Nobody closes an alarm that they raised."""


def close(alarm: Alarm, actor: str) -> bool:
    """Close an alarm; counting begins anew. ``False`` if it is closed already. Raises ``OwnAlarmError``."""
    if alarm.practitioner.actor == actor:
        raise OwnAlarmError("Somebody else closes this alarm: it is about you.")
    with transaction.atomic():
        open_now = Alarm.objects.filter(pk=alarm.pk, closed_at=None)
        if not open_now.update(closed_at=timezone.now(), closed_by=actor):
            return False
        audit.record(actor, f"alarm.close.{alarm.kind}", alarm.practitioner.actor)
    return True


class AskAgain:
    """Middleware that answers those who read or export more than usual."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Ask for the second factor, or say what is to be done."""
        if isinstance(error, ShowFactorAgainError):
            if not wants_page(request):
                return problem(401, "Show your second factor again", "You have opened more than usual.")
            return redirect(f"{reverse('member-again')}?{urlencode({'next': page_of(request)})}")
        if isinstance(error, StoppedError):
            what = "You have opened or taken out far more than usual, so this is stopped and an alarm is raised."
            return refusal(request, 403, "Stopped", f"{what} Ask another supervisor, or the bank's operator, to look.")
        return None
