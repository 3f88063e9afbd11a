"""Practitioners refer people to other organisations, and take referrals. English, like every page for staff."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.queries import access_case_file
from reclaim.bank.cooperation import evidence, keys, queries, referrals
from reclaim.bank.cooperation.carry import Party, parties, party
from reclaim.bank.cooperation.models import OrganisationKey, Referral, ReferralConsent
from reclaim.bank.cooperation.words import PARTS, RECEIVED, SENT
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.organisations.queries import access_practitioner
from reclaim.bank.peers.queries import present_peers
from reclaim.bank.vault.sessions import unlocked
from reclaim.protocol.referral import CannotOpenError, Part
from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.limits import Limit, seconds_to_wait
from reclaim.sitekit.permissions import Permission, fresh, may, needs
from reclaim.sitekit.places import country_name
from reclaim.sitekit.problems import refusal

CODE_TRIES = Limit("referral code, organisation", tries=20, window=600)


def slow_down(request: HttpRequest, seconds: int) -> HttpResponse:
    """A 429."""
    response = refusal(request, 429, "Too many tries", f"Please try again in {-(-seconds // 60)} minutes.")
    response["Retry-After"] = str(seconds)
    return response


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Referrals that came and that were sent, check-ins that are due, officers."""
    practitioner = access_practitioner(request)
    key = OrganisationKey.objects.filter(organisation=practitioner.organisation_id).first()
    audit.record(practitioner.actor, "referrals.list", f"organisation:{practitioner.organisation_id}")
    context = {
        "practitioner": practitioner,
        "key": key,
        "supervises": may(practitioner.member, Permission.SUPERVISE_CASES),
        "received": [
            (row, RECEIVED[row.state]) for row in queries.received_referrals(practitioner)[: queries.MOST_SHOWN]
        ],
        "sent": [(row, SENT[row.state]) for row in queries.sent_referrals(practitioner)[: queries.MOST_SHOWN]],
        "check_ins": queries.due_check_ins(practitioner)[: queries.MOST_SHOWN],
        "officers": queries.officers_of(practitioner),
    }
    return render(request, "cooperation/home.html", context)


@requires(Access.PRACTITIONER)
@needs(Permission.SUPERVISE_CASES)
@fresh
@require_POST
def take_part(request: HttpRequest) -> HttpResponse:
    """Make the organisation's key, or give it to colleagues who came since."""
    practitioner = access_practitioner(request)
    opened = unlocked(request)
    if OrganisationKey.objects.filter(organisation=practitioner.organisation_id).exists():
        count = keys.share_with_colleagues(practitioner, opened)
        messages.success(request, f"Colleagues who can open referrals since now: {count}.")
    else:
        keys.take_part(practitioner)
        messages.success(request, "Your organisation takes part in referrals.")
    return redirect("cooperation-home")


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_safe
def case(request: HttpRequest, case_file: uuid.UUID) -> HttpResponse:
    """What can be done with others for one case file."""
    practitioner = access_practitioner(request)
    found = access_case_file(practitioner, case_file)
    plan = queries.plan_of(found.pk)
    context = {
        "practitioner": practitioner,
        "case_file": found,
        "sent": [(row, SENT[row.state]) for row in found.referrals.order_by("-sent_at")],
        "received": found.received_referrals.first(),
        "packs": found.evidence_packs.select_related("officer").order_by("-made_at"),
        "plan": plan if plan and plan.ended_at is None else None,
    }
    return render(request, "cooperation/case.html", context)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def refer(request: HttpRequest, case_file: uuid.UUID) -> HttpResponse:
    """Refer a case file: what the person agreed to, what would be told, a preview of it, and then send.

    Nothing is kept between the steps: what was typed goes along in the form. The preview names the referral, so that
    pressing «Send it» twice refers once.
    """
    practitioner = access_practitioner(request)
    found = access_case_file(practitioner, case_file)
    typed = _typed(request)
    do, error = request.POST.get("do", ""), ""
    context: dict[str, Any] = {"practitioner": practitioner, "case_file": found, "typed": typed}
    if request.method == "POST" and do in ("preview", "send"):
        try:
            chosen, consent, told = _chosen(typed), _consent(typed), _told(typed)
            kept = referrals.checked(consent, told)
            if do == "send":
                if not typed["number"] or request.POST.get("key") != chosen.recipient:
                    raise referrals.CannotReferError(
                        "The organisation's key is not the one of the preview. Look again."
                    )
                return _send(request, practitioner, found, chosen, consent, kept, typed["number"])
            if not typed["words"].strip():
                raise referrals.CannotReferError("Write what the person agreed to, in their words.")
        except (referrals.CannotReferError, keys.NoOrganisationKeyError) as refused:
            error = str(refused)
        else:
            shown = [(part.value, PARTS[part][0], kept[part]) for part in Part if part in kept]
            about = {**context, "to": chosen, "shown": shown, "number": uuid.uuid4()}
            return render(request, "cooperation/preview.html", about)
    own = OrganisationKey.objects.filter(organisation=practitioner.organisation_id).first()
    context["parties"] = [
        (_reference(each), each, country_name(each.country))
        for each in parties()
        if own is None or each.number != own.number
    ]
    context |= {
        "parts": [(part.value, *PARTS[part], typed["told"].get(part.value, "")) for part in Part],
        "takes_part": own is not None,
        "error": error,
    }
    return render(request, "cooperation/refer.html", context, status=422 if error else 200)


def _send(
    request: HttpRequest,
    practitioner: Practitioner,
    case_file: CaseFile,
    to: Party,
    consent: referrals.Consenting,
    told: dict[Part, str],
    number: uuid.UUID,
) -> HttpResponse:
    if Referral.objects.filter(pk=number).exists():
        return redirect("cooperation-sent", number)
    if consent.how == ReferralConsent.How.CODE:
        wait = seconds_to_wait([(CODE_TRIES, str(practitioner.organisation_id).encode())])
        if wait:
            return slow_down(request, wait)
    try:
        referrals.refer(practitioner, unlocked(request), case_file, to, consent, told, number)
    except IntegrityError:
        # Pressed twice at once; the page says so if it was anything else.
        return redirect("cooperation-sent", number)
    messages.success(request, "The referral is on its way. Until it is accepted, the case file stays yours alone.")
    return redirect("cooperation-sent", number)


def _typed(request: HttpRequest) -> dict[str, Any]:
    post = request.POST
    try:
        number = uuid.UUID(post.get("number", "")[:40])
    except ValueError:
        number = None
    return {
        "number": number,
        "to": post.get("to", "")[:100],
        "agreed": [part.value for part in Part if part.value in post.getlist("agreed")],
        "how": post.get("how", "phone"),
        "words": post.get("words", ""),
        "code": post.get("code", "")[:100],
        "told": {part.value: post.get(part.value, "") for part in Part},
    }


def _reference(to: Party) -> str:
    return f"{to.peer.pk if to.peer else 0}.{to.number}"


def _chosen(typed: dict[str, Any]) -> Party:
    bank, _, number = typed["to"].partition(".")
    try:
        key, named = int(bank) if bank.isascii() and bank.isdigit() and len(bank) < 10 else -1, uuid.UUID(number)
    except ValueError:
        key, named = -1, uuid.UUID(int=0)
    peer = present_peers().filter(pk=key).first() if key > 0 else None
    found = party(peer, named) if key == 0 or peer is not None else None
    if found is None:
        raise referrals.CannotReferError("Choose the organisation from the list.")
    return found


def _consent(typed: dict[str, Any]) -> referrals.Consenting:
    how = typed["how"] if typed["how"] in ReferralConsent.How.values else ReferralConsent.How.PHONE
    agreed = frozenset(Part(each) for each in typed["agreed"])
    return referrals.Consenting(agreed, ReferralConsent.How(how), typed["words"], typed["code"])


def _told(typed: dict[str, Any]) -> dict[Part, str]:
    return {Part(name): text for name, text in typed["told"].items() if text.strip()}


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def sent(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """A referral that was sent: what was told, what was answered (GET); the person no longer agrees (POST)."""
    practitioner = access_practitioner(request)
    found = queries.access_referral(practitioner, key)
    if request.method == "POST":
        referrals.withdraw(practitioner, found)
        messages.success(request, "The referral has ended. The other organisation is told to erase it.")
        return redirect("cooperation-sent", key)
    opened, fault, reply = unlocked(request), "", ""
    try:
        reply = referrals.reply_to(opened, found)
    except CannotOpenError as error:
        fault = str(error)
    told = referrals.told_in(opened, found)
    context = {
        "practitioner": practitioner,
        "referral": found,
        "stands": SENT[found.state],
        "told": [(PARTS[part][0], told[part]) for part in Part if part in told],
        "reply": reply,
        "fault": fault,
        "live": found.state not in ("withdrawn", "erased"),
    }
    return render(request, "cooperation/sent.html", context)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def received(request: HttpRequest, key: int) -> HttpResponse:
    """A referral that came (GET); accept, decline, return or erase it (POST ``do``, ``words``)."""
    practitioner = access_practitioner(request)
    found = queries.access_received(practitioner, key)
    opened, fault, status = unlocked(request), "", 200
    if request.method == "POST":
        do, words = request.POST.get("do", ""), request.POST.get("words", "")
        try:
            if do == "accept":
                return redirect("cooperation-case", referrals.accept(practitioner, opened, found).pk)
            if do == "decline":
                referrals.decline(practitioner, opened, found, words)
            elif do == "return":
                referrals.give_back(practitioner, opened, found, words)
            elif do == "erase":
                referrals.erase_ended(practitioner, found)
            else:
                raise referrals.CannotReferError("Choose what to do.")
        except (referrals.CannotReferError, CannotOpenError) as error:
            fault, status = str(error), 422
            found = queries.access_received(practitioner, key)
        else:
            messages.success(request, "Done. The other organisation is told.")
            return redirect("cooperation-home")
    content = None
    if found.sealed:
        try:
            content = referrals.content_of(opened, found)
        except CannotOpenError as error:
            fault = fault or str(error)
    context = {
        "practitioner": practitioner,
        "referral": found,
        "stands": RECEIVED[found.state],
        "country": country_name(found.from_country),
        "told": [(PARTS[part][0], content.told[part]) for part in Part if part in content.told] if content else [],
        "agreed": content.agreed if content else None,
        "fault": fault,
        "words": request.POST.get("words", ""),
    }
    return render(request, "cooperation/received.html", context, status=status)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def officers(request: HttpRequest) -> HttpResponse:
    """Officers and their keys (GET); note one (POST)."""
    practitioner = access_practitioner(request)
    error, post = "", request.POST
    if request.method == "POST":
        try:
            evidence.add_officer(
                practitioner, *(post.get(name, "") for name in ("name", "agency", "country", "recipient"))
            )
        except evidence.EvidenceError as refused:
            error = str(refused)
        else:
            messages.success(request, "Noted. A supervisor who did not note it now checks that the key is theirs.")
            return redirect("cooperation-officers")
    context = {
        "practitioner": practitioner,
        "officers": queries.officers_of(practitioner),
        "supervises": may(practitioner.member, Permission.SUPERVISE_CASES),
        "typed": post,
        "error": error,
    }
    return render(request, "cooperation/officers.html", context, status=422 if error else 200)


@requires(Access.PRACTITIONER)
@needs(Permission.SUPERVISE_CASES)
@fresh
@require_POST
def officer(request: HttpRequest, key: int) -> HttpResponse:
    """Check an officer's key, or end it (POST ``do``, ``how``)."""
    practitioner = access_practitioner(request)
    found, do = queries.access_officer(practitioner, key), request.POST.get("do", "")
    if do == "end":
        evidence.end_officer(practitioner, found)
    elif do == "check":
        try:
            evidence.check_officer(practitioner, found, request.POST.get("how", ""))
        except evidence.EvidenceError as error:
            messages.error(request, str(error))
            return redirect("cooperation-officers")
    else:
        raise Http404
    messages.success(request, "Done.")
    return redirect("cooperation-officers")
