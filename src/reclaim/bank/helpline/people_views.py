"""The organisation's own page: how people see it, who works there, and what a supervisor does about both."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.casework.keys import settle_for
from reclaim.bank.helpline.pages import helpline_page, sent_to
from reclaim.bank.organisations import alarms, services
from reclaim.bank.organisations.forms import NewPersonForm, OwnWordsForm, PersonForm
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.organisations.queries import (
    access_alarm,
    access_colleague,
    access_practitioner,
    active_practitioners,
)
from reclaim.bank.vault import sessions
from reclaim.bank.vault.people import NoKeyPairError
from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.accounts.services import NameTakenError
from reclaim.sitekit.permissions import Permission, access_member, fresh, may, needs
from reclaim.sitekit.places import country_name
from reclaim.sitekit.roles import Role


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """The organisation and who works there; alarms, for those who manage it."""
    practitioner = access_practitioner(request)
    organisation = practitioner.organisation
    manages = may(access_member(request), Permission.MANAGE_PRACTITIONERS)
    audit.record(practitioner.actor, "practitioners.list", f"organisation:{organisation.pk}")
    return helpline_page(
        request,
        "helpline/people.html",
        organisation=organisation,
        country=country_name(organisation.country),
        people=active_practitioners(organisation),
        manages=manages,
        alarms=alarms.open_alarms(organisation) if manages else [],
    )


@requires(Access.PRACTITIONER)
@needs(Permission.MANAGE_PRACTITIONERS)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def words(request: HttpRequest) -> HttpResponse:
    """Change what people see of the organisation."""
    practitioner = access_practitioner(request)
    organisation = practitioner.organisation
    form = OwnWordsForm(sent_to(request)) if request.method == "POST" else OwnWordsForm.of(organisation)
    if form.is_bound and form.is_valid():
        try:
            services.edit_organisation(organisation, form.about(organisation), practitioner.actor)
        except ValueError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Saved. People see it on their case page.")
            return redirect("organisation-home")
    return helpline_page(request, "helpline/organisation.html", form=form, status=422 if form.errors else 200)


@requires(Access.PRACTITIONER)
@needs(Permission.MANAGE_PRACTITIONERS)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Let a colleague in; their one-time password is in the answer, once."""
    practitioner = access_practitioner(request)
    form = NewPersonForm(sent_to(request), initial={"languages": practitioner.organisation.languages})
    if form.is_bound and form.is_valid():
        sent = form.cleaned_data
        try:
            made, password = services.add_practitioner(
                practitioner.organisation,
                sent["name"],
                Role(sent["role"]),
                scope=Practitioner.Scope(sent["scope"]),
                team=sent["team"],
                languages=sent["languages"],
                actor=practitioner.actor,
            )
        except (NameTakenError, ValueError) as error:
            form.add_error(None, str(error))
        else:
            return helpline_page(request, "helpline/person_password.html", person=made, password=password)
    return helpline_page(request, "helpline/person_new.html", form=form, status=422 if form.errors else 200)


@requires(Access.PRACTITIONER)
@needs(Permission.MANAGE_PRACTITIONERS)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, key: int) -> HttpResponse:
    """What a colleague sees (GET); change it (POST), and the keys that go with it."""
    practitioner = access_practitioner(request)
    found = access_colleague(practitioner, key)
    form = PersonForm(sent_to(request)) if request.method == "POST" else PersonForm.of(found)
    if form.is_bound and form.is_valid():
        sent = form.cleaned_data
        # Asked for before anything is written: without it keys could not follow the scope.
        unlocked = sessions.unlocked(request)
        try:
            services.change_practitioner(
                found,
                scope=Practitioner.Scope(sent["scope"]),
                team=sent["team"],
                languages=sent["languages"],
                actor=practitioner.actor,
            )
        except ValueError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Saved for «{found.name}».")
            try:
                settle_for(access_colleague(practitioner, key), unlocked, practitioner.actor)
            except NoKeyPairError as error:
                messages.info(request, f"{error} Then share the case files with them.")
            return redirect("organisation-home")
    about = {"person": found, "form": form, "own": found.pk == practitioner.pk}
    return helpline_page(request, "helpline/person.html", **about, status=422 if form.errors else 200)


@requires(Access.PRACTITIONER)
@needs(Permission.MANAGE_PRACTITIONERS)
@fresh
@require_POST
def share(request: HttpRequest, key: int) -> HttpResponse:
    """Share with a colleague what they may read and the supervisor can open."""
    practitioner = access_practitioner(request)
    found = access_colleague(practitioner, key)
    try:
        shared = settle_for(found, sessions.unlocked(request), practitioner.actor)
    except NoKeyPairError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"«{found.name}» can open {shared} more case file{'' if shared == 1 else 's'}.")
    return redirect("person", found.pk)


@requires(Access.PRACTITIONER)
@needs(Permission.MANAGE_PRACTITIONERS)
@fresh
@require_POST
def reset(request: HttpRequest, key: int) -> HttpResponse:
    """Start a colleague's account anew; the one-time password is in the answer, once."""
    practitioner = access_practitioner(request)
    found = access_colleague(practitioner, key)
    if found.pk == practitioner.pk:
        messages.error(request, "This is your own account: choose another password on its page, or ask a colleague.")
        return redirect("person", found.pk)
    password = services.reset_practitioner(found, practitioner.actor)
    return helpline_page(request, "helpline/person_password.html", person=found, password=password, anew=True)


@requires(Access.PRACTITIONER)
@needs(Permission.MANAGE_PRACTITIONERS)
@fresh
@require_POST
def remove(request: HttpRequest, key: int) -> HttpResponse:
    """End a colleague's account at once (POST ``sure``)."""
    practitioner = access_practitioner(request)
    found = access_colleague(practitioner, key)
    if request.POST.get("sure") != "yes":
        messages.error(request, "Tick that you are sure. Nothing was done.")
        return redirect("person", found.pk)
    try:
        services.remove_practitioner(found, practitioner.actor)
    except services.LastSupervisorError as error:
        messages.error(request, str(error))
        return redirect("person", found.pk)
    messages.success(request, f"«{found.name}» is out. Their case files wait for somebody to take them.")
    return redirect("organisation-home")


@requires(Access.PRACTITIONER)
@needs(Permission.MANAGE_PRACTITIONERS)
@fresh
@require_POST
def close_alarm(request: HttpRequest, key: int) -> HttpResponse:
    """Close an alarm about a colleague; what was stopped goes on."""
    practitioner = access_practitioner(request)
    alarm = access_alarm(key, practitioner.organisation)
    try:
        alarms.close(alarm, practitioner.actor)
    except alarms.OwnAlarmError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The alarm about «{alarm.practitioner.name}» is closed.")
    return redirect("organisation-home")
