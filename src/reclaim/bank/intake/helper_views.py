"""Letting a helper organisation see the case: choose one, read what that means, get a code, end it again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from reclaim.bank.cases.consents import consents_of, give_consent, revoke_consent
from reclaim.bank.cases.models import Case
from reclaim.bank.cases.numbers import shown
from reclaim.bank.cases.queries import access_session_case
from reclaim.bank.casework.facts import Facts
from reclaim.bank.casework.keys import NobodyReadsError
from reclaim.bank.casework.models import Stage
from reclaim.bank.casework.queries import can_take_words, keepers_of
from reclaim.bank.casework.services import StateError, Texts, WordsError, ask_for_help, checked_words
from reclaim.bank.intake.case_views import slow_down
from reclaim.bank.organisations.models import Organisation
from reclaim.bank.organisations.queries import active_organisations
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.limits import Limit, seconds_to_wait
from reclaim.sitekit.places import country_name

ASKED = Limit("asked for help, case", tries=10, window=24 * 3600)


@dataclass(frozen=True)
class Country:
    """A country by its name in the language of the page, and who helps there."""

    name: str
    organisations: list[ToldOrganisation]


@dataclass(frozen=True)
class ToldOrganisation:
    """An organisation, ready for a page."""

    pk: int
    name: str
    country: str
    languages: list[str]
    contact: str
    keeps: bool = False
    """Whether it has a case file for the person."""


def _told(organisation: Organisation, *, keeps: bool = False) -> ToldOrganisation:
    return ToldOrganisation(
        organisation.pk,
        organisation.name,
        country_name(organisation.country),
        [_own_name(code) for code in organisation.languages],
        organisation.contact,
        keeps,
    )


def _own_name(code: str) -> str:
    try:
        return str(get_language_info(code)["name_local"])
    except KeyError:
        return code


def _by_country(organisations: Iterable[Organisation]) -> list[Country]:
    told = sorted((_told(organisation) for organisation in organisations), key=lambda each: (each.country, each.name))
    return [Country(name, list(there)) for name, there in groupby(told, key=lambda each: each.country)]


@requires(Access.CASE)
@require_http_methods(["GET", "HEAD", "POST"])
def helper(request: HttpRequest) -> HttpResponse:
    """Who can see the case, and whom one may ask (GET); what it means (POST ``organisation``); then a code (``sure``),
    or words to those who help there (``ask``)."""
    case = access_session_case(request)
    sent = request.POST.get("organisation", "")
    # At most nine digits, so that no number is too large for the database to look for.
    known = sent.isascii() and sent.isdecimal() and len(sent) < 10
    chosen = active_organisations().filter(pk=int(sent)).first() if known else None
    if chosen is not None:
        if "ask" in request.POST:
            return _ask(request, case, chosen)
        if "sure" not in request.POST:
            return _sure(request, chosen)
        given = give_consent(case, chosen)
        context = {"organisation": _told(chosen), "code": shown(given.code), "until": given.until}
        return render(request, "intake/case_helper_code.html", context)
    error = _("Please choose who should see your case.") if request.method == "POST" else ""
    keepers = {organisation.pk: organisation for organisation in keepers_of(case)}
    consents = [
        (consent, _told(consent.organisation, keeps=keepers.pop(consent.organisation_id, None) is not None))
        for consent in consents_of(case)
    ]
    look_already = [consent.organisation_id for consent, told in consents if consent.opened_at]
    countries = _by_country(active_organisations().exclude(pk__in=look_already))
    context = {"consents": consents, "keepers": keepers.values(), "countries": countries, "error": error}
    return render(request, "intake/case_helper.html", context, status=422 if error else 200)


def _sure(request: HttpRequest, organisation: Organisation, **typed: str) -> HttpResponse:
    context = {"organisation": _told(organisation), "takes_words": can_take_words(organisation), **typed}
    return render(request, "intake/case_helper_sure.html", context, status=422 if typed else 200)


def _ask(request: HttpRequest, case: Case, organisation: Organisation) -> HttpResponse:
    seconds = seconds_to_wait([(ASKED, case.pk.bytes)])
    if seconds:
        return slow_down(request, seconds)
    reach, stage = request.POST.get("reach", "")[:10_000], request.POST.get("stage", "")
    # Practitioners' pages are English.
    company = request.POST.get("company", "")
    said = {"yes": "Somebody they trust is with them.", "no": "Nobody they trust is with them."}.get(company, "")
    facts = Facts(
        language=get_language() or "en", stage=stage if stage in (Stage.THREATENED, Stage.SHARED) else Stage.UNKNOWN
    )
    try:
        ask_for_help(case, organisation, facts, Texts(checked_words(reach), said))
    except WordsError:
        error = _("Please write something, up to 4000 characters.")
        return _sure(request, organisation, reach=reach, stage=stage, company=company, error=error)
    except (StateError, NobodyReadsError):
        return redirect("case-helper")
    messages.success(request, _("They can read it now."))
    return redirect("case-helper")


@requires(Access.CASE)
@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    """End a consent at once (POST ``consent``)."""
    sent = request.POST.get("consent", "")
    known = sent.isascii() and sent.isdecimal() and len(sent) < 10
    if known and revoke_consent(access_session_case(request), int(sent)):
        messages.success(request, _("They can no longer see your case."))
    return redirect("case-helper")
