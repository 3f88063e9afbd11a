"""The bank's own staff log legal demands; one proposes an answer, another consents. And what everybody is told."""

from __future__ import annotations

import datetime
import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from reclaim.bank.cooperation import demands
from reclaim.bank.cooperation.models import LegalDemand
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.languages import in_english
from reclaim.sitekit.permissions import Permission, access_member, fresh, may, needs

NOTICES = {
    LegalDemand.Notice.DUE: "The person is to be told",
    LegalDemand.Notice.FORBIDDEN: "Telling the person is forbidden",
    LegalDemand.Notice.NOBODY: "It concerns nobody whom we could tell",
}


def _day(typed: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(typed.strip()) if typed.strip() else None
    except ValueError as error:
        raise demands.DemandError("Write days as 2026-05-19.") from error


def _new(request: HttpRequest) -> demands.NewDemand:
    post = request.POST
    received_on = _day(post.get("received_on", ""))
    if received_on is None:
        raise demands.DemandError("Write the day on which it came, as 2026-05-19.")
    if post.get("notice") not in NOTICES:
        raise demands.DemandError("Choose whether the person may be told.")
    try:
        form = uuid.UUID(post.get("form", "")[:40])
    except ValueError as error:
        raise demands.DemandError("This form was not whole. Press «Log it» again.") from error
    return demands.NewDemand(
        form=form,
        received_on=received_on,
        sender=post.get("sender", ""),
        country=post.get("country", "").strip().upper(),
        basis=post.get("basis", ""),
        asked=post.get("asked", ""),
        scope=post.get("scope", ""),
        deadline=_day(post.get("deadline", "")),
        notice=LegalDemand.Notice(post["notice"]),
        forbidden_until=_day(post.get("forbidden_until", "")),
    )


@requires(Access.STAFF)
@needs(Permission.HANDLE_DEMANDS)
@fresh
@require_POST
def log(request: HttpRequest) -> HttpResponse:
    """Log a demand. The form has a name, so that pressing «Log it» twice logs once."""
    try:
        demand = demands.log_demand(access_member(request), _new(request))
    except demands.DemandError as error:
        return _list(request, str(error))
    return redirect("demand", demand.pk)


@requires(Access.STAFF)
@needs(Permission.READ_DEMANDS)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Every demand, the latest first."""
    return _list(request)


def _list(request: HttpRequest, error: str = "") -> HttpResponse:
    member = access_member(request)
    context = {
        "rows": demands.list_demands(member),
        "handles": may(member, Permission.HANDLE_DEMANDS),
        "scopes": demands.SCOPES.items(),
        "notices": [(notice.value, text) for notice, text in NOTICES.items()],
        "typed": request.POST,
        # A new one also after an error: nothing was logged with the old one, or something else was.
        "form": uuid.uuid4(),
        "error": error,
    }
    return render(request, "cooperation/demands.html", context, status=422 if error else 200)


@requires(Access.STAFF)
@needs(Permission.READ_DEMANDS)
@fresh
@require_safe
def demand(request: HttpRequest, key: int) -> HttpResponse:
    """One demand."""
    return _page(request, key)


def _page(request: HttpRequest, key: int, error: str = "") -> HttpResponse:
    member = access_member(request)
    read = demands.access_demand(member, key)
    context = {
        "read": read,
        "demand": read.demand,
        "answers": LegalDemand.Answer.choices,
        "proposes": read.demand.state == LegalDemand.State.LOGGED and may(member, Permission.HANDLE_DEMANDS),
        "releases": read.demand.state == LegalDemand.State.PROPOSED
        and may(member, Permission.RELEASE_DEMANDS)
        and read.demand.proposed_by_id != member.pk,
        "tells": may(member, Permission.HANDLE_DEMANDS)
        and read.may_tell
        and read.demand.notice in (LegalDemand.Notice.DUE, LegalDemand.Notice.FORBIDDEN),
        "bans": may(member, Permission.HANDLE_DEMANDS)
        and read.demand.notice == LegalDemand.Notice.FORBIDDEN
        and not demands.ban_end_waits(read.demand),
        "ban_waits": demands.ban_end_waits(read.demand),
        "releases_ban": demands.ban_end_waits(read.demand)
        and may(member, Permission.RELEASE_DEMANDS)
        and read.demand.ban_proposed_by_id != member.pk,
        "typed": request.POST,
        "today": timezone.now().date(),
        "error": error,
    }
    return render(request, "cooperation/demand.html", context, status=422 if error else 200)


@requires(Access.STAFF)
@needs(Permission.HANDLE_DEMANDS)
@fresh
@require_POST
def propose(request: HttpRequest, key: int) -> HttpResponse:
    """Propose an answer (POST ``answer``, ``reasons``, ``digest``)."""
    member, post = access_member(request), request.POST
    found = demands.access_demand(member, key).demand
    try:
        demands.propose(member, found, post.get("answer", ""), post.get("reasons", ""), post.get("digest", "")[:100])
    except demands.DemandError as error:
        return _page(request, key, str(error))
    return redirect("demand", key)


@requires(Access.STAFF)
@needs(Permission.RELEASE_DEMANDS)
@fresh
@require_POST
def release(request: HttpRequest, key: int) -> HttpResponse:
    """Consent to the proposed answer, or send it back; the same of a ban's last day (POST ``do``, ``day``)."""
    member, do = access_member(request), request.POST.get("do", "")
    found = demands.access_demand(member, key).demand
    try:
        if do == "release":
            demands.release(member, found)
        elif do == "back":
            demands.send_back(member, found)
        elif do == "ban":
            demands.release_ban_end(member, found, _day(request.POST.get("day", "")))
        elif do == "ban-back":
            demands.send_ban_end_back(member, found, _day(request.POST.get("day", "")))
        else:
            raise demands.DemandError("Choose whether you consent.")
    except demands.DemandError as error:
        return _page(request, key, str(error))
    return redirect("demand", key)


@requires(Access.STAFF)
@needs(Permission.HANDLE_DEMANDS)
@fresh
@require_POST
def notice(request: HttpRequest, key: int) -> HttpResponse:
    """Note that the person was told, or propose until when that is forbidden (POST ``do``, ``day``)."""
    member = access_member(request)
    found = demands.access_demand(member, key).demand
    change = demands.propose_ban_end if request.POST.get("do") == "ban" else demands.give_notice
    try:
        change(member, found, _day(request.POST.get("day", "")) or timezone.now().date())
    except demands.DemandError as error:
        return _page(request, key, str(error))
    messages.success(request, "Noted.")
    return redirect("demand", key)


@in_english
@requires(Access.PUBLIC)
@require_safe
def public(request: HttpRequest) -> HttpResponse:
    """How many demands came and what was answered, for everybody."""
    return render(request, "cooperation/public.html", {"years": demands.public_years()})
