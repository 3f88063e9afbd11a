"""From a helper's link into the person's own pages: the helper is told nothing unless the person says yes."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import SESSION_KEY as MEMBER
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from reclaim.bank.cases.own_keys import make_known
from reclaim.bank.cases.services import NewCase
from reclaim.bank.casework.models import Invitation
from reclaim.bank.casework.queries import good_invitations, invitation_by
from reclaim.bank.casework.services import accept_invitation
from reclaim.sitekit.access import Access, requires

_LINK = "invited"
"""In a session: which invitation the person came with. The session never has the token."""
_SEE = "invited_see"
"""In a session: that the person lets the helper see the case which is made next."""


@requires(Access.PUBLIC)
@require_safe
def arrive(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address at once. Whether it is good, only the next page says."""
    found = invitation_by(token[:100])
    # A practitioner's own browser is no person's: nobody is to be let see a case by whoever would see it.
    if found is not None and MEMBER not in request.session:
        request.session[_LINK] = found.pk
        request.session.pop(_SEE, None)
    elif _LINK in request.session:
        _forget(request)
    return redirect("invited")


@requires(Access.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def invited(request: HttpRequest) -> HttpResponse:
    """Who sent the link, and that nothing is told to them (GET); whether they may see the case (POST ``see``)."""
    found = _invitation(request)
    if found is not None and request.method == "POST":
        request.session[_SEE] = request.POST.get("see") == "yes"
        return redirect("start-leaving")
    if found is None and _LINK in request.session:
        _forget(request)
    name = found.case_file.organisation.name if found else ""
    return render(request, "intake/invited.html", {"name": name}, status=200 if found else 404)


def _invitation(request: HttpRequest) -> Invitation | None:
    pk = request.session.get(_LINK)
    return good_invitations().filter(pk=pk).first() if pk and MEMBER not in request.session else None


def lets_see(request: HttpRequest) -> str:
    """The name of whoever will see the case that is made next; empty for nobody."""
    # A page that looks into no session is sent compressed: whoever has none must not pay for those who have one.
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return ""
    found = _invitation(request) if request.session.get(_SEE) else None
    return found.case_file.organisation.name if found else ""


def link_invited(request: HttpRequest, made: NewCase) -> None:
    """A case was made: use up the link with which the person came, and let the helper see it if they said yes."""
    found = _invitation(request)
    if found is None:
        return
    see = bool(request.session.get(_SEE))
    if see:
        make_known(made.case, made.number, made.pin)
    accept_invitation(found.pk, made.case, see=see)
    _forget(request)


def _forget(request: HttpRequest) -> None:
    for key in (_LINK, _SEE):
        request.session.pop(key, None)
