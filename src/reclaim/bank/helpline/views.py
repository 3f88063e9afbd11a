"""A practitioner's day: what needs them, their list, a first talk, a break. English only, like every page for staff."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.cases.codes import parse_code
from reclaim.bank.cases.consents import open_case
from reclaim.bank.cases.models import Consent
from reclaim.bank.casework.models import CaseFile, Channel, Risk, Status
from reclaim.bank.casework.queries import BREAK, Filter, list_case_files, today_of, visible_to
from reclaim.bank.casework.services import (
    Texts,
    case_file_of_consent,
    open_case_file,
    postpone_break,
    take_break,
)
from reclaim.bank.cooperation.queries import today_of as with_others
from reclaim.bank.directory.queries import services_in
from reclaim.bank.directory.rows import For, Kind, Service
from reclaim.bank.helpline.forms import IntakeForm, country_choices, language_choices, options_of
from reclaim.bank.helpline.pages import helpline_page, quiet_page, supervises
from reclaim.bank.organisations import alarms
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.organisations.queries import access_practitioner, active_practitioners
from reclaim.bank.takedown.pages import today as links_today
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.limits import Limit, seconds_to_wait
from reclaim.sitekit.permissions import Permission, needs
from reclaim.sitekit.places import country_name, is_country
from reclaim.sitekit.problems import refusal

CODE_TRIES = Limit("consent code, organisation", tries=20, window=600)
NO_SUCH_CODE = (
    "This code opens nothing. It may be mistyped, used before, older than seven days, ended by the person, or meant "
    "for another organisation."
)
LINES = (Kind.EMERGENCY, Kind.POLICE, Kind.CRISIS)
"""What is shown beside the safety questions."""
UNDER_18 = (Kind.REMOVAL, Kind.CHILDREN, Kind.IMAGES)


def slow_down(request: HttpRequest, practitioner: Practitioner) -> HttpResponse | None:
    """The refusal of one more try at codes, or ``None``."""
    seconds = seconds_to_wait([(CODE_TRIES, str(practitioner.organisation_id).encode())])
    if not seconds:
        return None
    response = refusal(request, 429, "Too many tries", f"Please try again in {-(-seconds // 60)} minutes.")
    response["Retry-After"] = str(seconds)
    return response


def consent_by_code(request: HttpRequest, practitioner: Practitioner) -> Consent | None:
    """Use the one-time code that was sent (POST ``code``)."""
    code = parse_code(request.POST.get("code", "")[:100])
    return open_case(practitioner, code) if code else None


def to_case_file(request: HttpRequest, practitioner: Practitioner, case_file: CaseFile) -> HttpResponse:
    """Go on to the case file that a code opened. A colleague may work for this person already."""
    if visible_to(practitioner).filter(pk=case_file.pk).exists():
        return redirect("case-file", case_file.pk)
    who = f"«{case_file.owner.name}» works" if case_file.owner else "Your organisation works"
    messages.info(
        request, f"{who} with this person already, and sees the case now. Ask to have the case file handed over to you."
    )
    return redirect("casework-home")


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """What needs the practitioner today (GET); open a case file with a person's code (POST ``code``)."""
    practitioner = access_practitioner(request)
    error = ""
    if request.method == "POST":
        refused = slow_down(request, practitioner)
        if refused is not None:
            return refused
        consent = consent_by_code(request, practitioner)
        if consent is not None:
            return to_case_file(request, practitioner, case_file_of_consent(practitioner, consent))
        error = NO_SUCH_CODE
    day = timezone.now().date()
    return helpline_page(
        request,
        "helpline/home.html",
        status=422 if error else 200,
        today=today_of(practitioner, day),
        links=links_today(practitioner),
        others=with_others(practitioner),
        day=day,
        error=error,
        alarms=alarms.open_alarms(practitioner.organisation) if supervises(request) else [],
    )


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_safe
def case_files(request: HttpRequest) -> HttpResponse:
    """The case files in scope (GET what ``Filter`` has, ``after``)."""
    practitioner = access_practitioner(request)
    wanted = Filter.of(request.GET.dict())
    page = list_case_files(practitioner, wanted, request.GET.get("after", "")[:80])
    query = request.GET.copy()
    query.pop("after", None)
    return helpline_page(
        request,
        "helpline/case_files.html",
        page=page,
        wanted=wanted,
        query=query.urlencode(),
        is_first="after" not in request.GET,
        statuses=[("at work", "All at work"), *Status.choices, ("all", "All")],
        risks=Risk.choices,
        countries=options_of(country_choices(), wanted.country),
        languages=options_of(language_choices(), wanted.language),
        colleagues=active_practitioners(practitioner.organisation),
        teams=practitioner.organisation.teams.order_by("name"),
    )


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def new_case_file(request: HttpRequest) -> HttpResponse:
    """The first talk with a person. If anybody in the pictures is under 18, nothing of it is kept anywhere."""
    practitioner = access_practitioner(request)
    sent = request.POST if request.method == "POST" else None
    if sent is not None and sent.get("adults") == "no":
        return _under_18(request, practitioner, sent.get("country", ""))
    country = sent.get("country", "") if sent is not None else practitioner.organisation.country
    only_lines = sent is not None and "lines" in sent
    initial = {"country": country, "language": (practitioner.organisation.languages or ["en"])[0]}
    form = IntakeForm(sent, initial=initial)
    if sent is not None and not only_lines and form.is_valid():
        given = form.cleaned_data
        case_file = open_case_file(
            practitioner,
            Channel(given["channel"]),
            given["facts"],
            Texts(given["reach"], given["words"]),
            adults=True,
        )
        messages.success(request, f"The case file is «{case_file.designation}». Add links or a task next.")
        return redirect("case-file", case_file.pk)
    if only_lines:
        form = IntakeForm(initial=_typed(form))
    return helpline_page(
        request,
        "helpline/new.html",
        status=422 if form.errors else 200,
        form=form,
        lines=lines_of(country),
        place=country_name(country) if is_country(country) else "",
    )


def _typed(form: IntakeForm) -> dict[str, object]:
    """What was typed so far, as it was typed; nothing of it was kept."""
    return {name: form[name].data for name in form.fields}


def lines_of(country: str) -> list[Service]:
    """Whom to call in a country when somebody is at risk."""
    found = services_in(country, kinds=LINES, audience=For.ADULTS) if is_country(country) else []
    return sorted(found, key=lambda row: (not row.country, LINES.index(row.kind)))


def _under_18(request: HttpRequest, practitioner: Practitioner, country: str) -> HttpResponse:
    country = country if is_country(country) else practitioner.organisation.country
    bodies = services_in(country, kinds=UNDER_18, audience=For.UNDER_18)
    order = {kind: place for place, kind in enumerate(UNDER_18)}
    bodies.sort(key=lambda row: (not row.country, order[row.kind]))
    return quiet_page(
        request,
        "helpline/under_18.html",
        bodies=bodies,
        place=country_name(country),
        lines=lines_of(country),
    )


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_safe
def pause(request: HttpRequest) -> HttpResponse:
    """A page to leave open during a break. It asks for nothing: the way back is always open."""
    take_break(access_practitioner(request))
    return quiet_page(request, "helpline/pause.html", until=timezone.now() + BREAK)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_POST
def pause_later(request: HttpRequest) -> HttpResponse:
    """Be reminded in ten minutes; once for each break."""
    postpone_break(access_practitioner(request))
    return redirect("casework-home")
