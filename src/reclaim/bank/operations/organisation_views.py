"""The pages on which operators let organisations in that help people, and look after them."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.organisations import alarms, services
from reclaim.bank.organisations.forms import AboutForm, NewOrganisationForm
from reclaim.bank.organisations.models import Organisation
from reclaim.bank.organisations.queries import access_alarm, access_organisation, active_practitioners
from reclaim.bank.vault.people import recovery
from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.accounts.services import NameTakenError
from reclaim.sitekit.permissions import Permission, access_member, fresh, needs


@requires(Access.STAFF)
@needs(Permission.VET_ORGANISATIONS)
@require_safe
def organisations(request: HttpRequest) -> HttpResponse:
    """Organisations and open alarms."""
    audit.record(access_member(request).actor, "organisations.read", "organisations")
    here = Count("practitioners", filter=Q(practitioners__member__removed_at=None))
    about = {
        "organisations": Organisation.objects.annotate(people=here).order_by("revoked_at", "country", "name"),
        "alarms": alarms.open_alarms(),
        "recovery": recovery(),
    }
    return render(request, "operations/organisations.html", about)


@requires(Access.STAFF)
@needs(Permission.VET_ORGANISATIONS)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Let an organisation in; its first supervisor's one-time password is in the answer, once."""
    form = NewOrganisationForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        sent, about = form.cleaned_data, form.about()
        try:
            made, password = services.add_organisation_with_supervisor(
                sent["name"],
                about.country,
                about.languages,
                sent["supervisor"],
                about.contact,
                hours=about.hours,
                remit=about.remit,
                reason=about.reason,
                actor=access_member(request).actor,
            )
        except (services.NameTakenError, NameTakenError, ValueError) as error:
            form.add_error(None, str(error))
        else:
            shown = {"organisation": made, "supervisor": sent["supervisor"].strip(), "password": password}
            return render(request, "operations/organisation_added.html", shown)
    return render(request, "operations/organisation_new.html", {"form": form}, status=422 if form.errors else 200)


@requires(Access.STAFF)
@needs(Permission.VET_ORGANISATIONS)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def organisation(request: HttpRequest, key: int) -> HttpResponse:
    """One organisation (GET); change what people see of it and why it was let in (POST)."""
    actor = access_member(request).actor
    found = access_organisation(key)
    form = AboutForm(request.POST) if request.method == "POST" else AboutForm.of(found)
    if form.is_bound and form.is_valid():
        try:
            services.edit_organisation(found, form.about(), actor)
        except ValueError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("organisations")
    audit.record(actor, "organisation.read", f"organisation:{found.pk}")
    about = {"organisation": found, "people": active_practitioners(found), "form": form}
    return render(request, "operations/organisation.html", about, status=422 if form.errors else 200)


@requires(Access.STAFF)
@needs(Permission.VET_ORGANISATIONS)
@fresh
@require_POST
def end(request: HttpRequest, key: int) -> HttpResponse:
    """End an organisation's access at once (POST ``sure``)."""
    found = access_organisation(key)
    if request.POST.get("sure") != "yes":
        messages.error(request, "Tick that you are sure. Nothing was done.")
        return redirect("organisation", found.pk)
    if services.revoke_organisation(found.name, access_member(request).actor):
        messages.success(request, f"«{found.name}» has no access any more.")
    else:
        messages.info(request, f"Nothing was done: «{found.name}» had no access.")
    return redirect("organisations")


@requires(Access.STAFF)
@needs(Permission.VET_ORGANISATIONS)
@fresh
@require_POST
def close_alarm(request: HttpRequest, key: int) -> HttpResponse:
    """Close an alarm about a practitioner; what was stopped goes on."""
    alarm = access_alarm(key)
    alarms.close(alarm, access_member(request).actor)
    messages.success(request, f"The alarm about «{alarm.practitioner.name}» is closed.")
    return redirect("organisations")
