"""Reads on organisations, and the only ways to get one: by its key, or from a session that had it."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from reclaim.bank.organisations.models import Organisation
from reclaim.sitekit.access import Access, check_for
from reclaim.sitekit.limits import Limit, SlowDownError, seconds_to_wait
from reclaim.sitekit.secrets import mac

SESSION_KEY = "organisation"
PER_NETWORK = Limit("organisation sign-in, network", tries=20, window=600)


def key_mac(key: str) -> bytes:
    """What the bank keeps of a key. Looked up as a whole, so its time tells nothing about any part of a key."""
    return mac("organisation-key", key.encode())


def active_organisations() -> QuerySet[Organisation]:
    """Organisations with access."""
    return Organisation.objects.filter(revoked_at=None).order_by("country", "name")


def access_organisation(key: str, network: bytes) -> Organisation | None:
    """The organisation with this key, or ``None``.

    Raises ``SlowDownError`` before anything is checked when there were too many tries. Call it outside a transaction.
    """
    wait = seconds_to_wait([(PER_NETWORK, network)])
    if wait:
        raise SlowDownError(wait)
    return active_organisations().filter(key_mac=key_mac(key[:200].strip())).first()


def session_of(organisation: Organisation) -> list[str]:
    """What a session keeps: which organisation, and by which of its keys."""
    return [str(organisation.pk), organisation.keyed_at.isoformat()]


def access_session_organisation(request: HttpRequest) -> Organisation:
    """The organisation of this session; the route's access check has already found it."""
    organisation: Organisation = request.organisation  # type: ignore[attr-defined]
    return organisation


@check_for(Access.ORGANISATION)
def _check_organisation(request: HttpRequest) -> HttpResponse | None:
    kept = request.session.get(SESSION_KEY)
    organisation = active_organisations().filter(pk=kept[0]).first() if kept else None
    if organisation is None or session_of(organisation) != kept:
        return redirect("helper-sign-in")
    request.session.modified = True
    request.organisation = organisation  # type: ignore[attr-defined]
    return None
