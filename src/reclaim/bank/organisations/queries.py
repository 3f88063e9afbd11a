"""Reads on organisations, and the only way to the practitioner of a request."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from reclaim.bank.organisations.models import Alarm, Organisation, Practitioner
from reclaim.sitekit.access import Access, check_for
from reclaim.sitekit.accounts.queries import check_member
from reclaim.sitekit.permissions import FACTOR_AT, access_member
from reclaim.sitekit.problems import refusal
from reclaim.sitekit.roles import HELPLINE_ROLES


def active_organisations() -> QuerySet[Organisation]:
    """Organisations with access."""
    return Organisation.objects.filter(revoked_at=None).order_by("country", "name")


def active_practitioners(organisation: Organisation) -> QuerySet[Practitioner]:
    """Practitioners of an organisation who may sign in, by name.

    Nobody else who has come back under the name of one who was removed: they would be given keys.
    """
    found = organisation.practitioners.filter(member__removed_at=None, member__role__in=HELPLINE_ROLES)
    return found.select_related("member", "organisation", "team").order_by("member__name")


def access_colleague(practitioner: Practitioner, key: int) -> Practitioner:
    """Somebody of the same organisation who may sign in. Raises ``Http404``."""
    found = active_practitioners(practitioner.organisation).filter(pk=key).first() if key < 2**63 else None
    if found is None:
        raise Http404
    return found


def access_organisation(key: int) -> Organisation:
    """An organisation, with access or without. Raises ``Http404``."""
    found = Organisation.objects.filter(pk=key).first() if key < 2**63 else None
    if found is None:
        raise Http404
    return found


def access_alarm(key: int, organisation: Organisation | None = None) -> Alarm:
    """An open alarm, of this organisation if one is given. Raises ``Http404``."""
    found = Alarm.objects.filter(pk=key, closed_at=None) if key < 2**63 else Alarm.objects.none()
    if organisation is not None:
        found = found.filter(practitioner__organisation=organisation)
    alarm = found.select_related("practitioner__member").first()
    if alarm is None:
        raise Http404
    return alarm


def access_practitioner(request: HttpRequest) -> Practitioner:
    """The practitioner of this session; the route's access check has already found them."""
    practitioner: Practitioner = request.practitioner  # type: ignore[attr-defined]
    return practitioner


@check_for(Access.PRACTITIONER)
def _check_practitioner(request: HttpRequest) -> HttpResponse | None:
    refused = check_member(request)
    if refused is not None:
        return refused
    found = Practitioner.objects.filter(member=access_member(request), organisation__revoked_at=None)
    practitioner = found.select_related("member", "organisation", "team").first()
    if practitioner is None:
        return refusal(
            request, 403, "Not for your role", "This page is for practitioners of organisations with access."
        )
    practitioner.factor_at = request.session.get(FACTOR_AT, 0)
    request.practitioner = practitioner  # type: ignore[attr-defined]
    return None
