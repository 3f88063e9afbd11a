"""The page that asks for a password once more, so that what is sealed can be opened. English only."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from reclaim.bank.organisations.queries import access_practitioner
from reclaim.bank.vault import people, services, sessions
from reclaim.bank.vault.keys import DamagedError
from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.accounts.forms import LONGEST_PASSWORD
from reclaim.sitekit.limits import Limit, seconds_to_wait
from reclaim.sitekit.permissions import Permission, needs, own_page

TRIES = Limit("password again, practitioner", tries=5, window=300)
WRONG = "This is not your password. Type the one with which you signed in."
OTHER = (
    "Your key does not open with your password. Ask the operator to start your account anew, and then a supervisor to "
    "share your case files with you."
)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def unlock(request: HttpRequest) -> HttpResponse:
    """Open the practitioner's key with POST ``password``, and go on to ``next``."""
    practitioner = access_practitioner(request)
    about = {"next": own_page(request, request.POST.get("next") or request.GET.get("next", ""))}
    if request.method != "POST":
        return render(request, "vault/unlock.html", about)
    wait = seconds_to_wait([(TRIES, str(practitioner.pk).encode())])
    if wait:
        errors = [f"Too many tries. You can try again in {-(-wait // 60)} minutes."]
        response = render(request, "vault/unlock.html", {**about, "errors": errors}, status=429)
        response["Retry-After"] = str(wait)
        return response
    password = request.POST.get("password", "")[:LONGEST_PASSWORD]
    if not practitioner.member.check_password(password):
        audit.record(practitioner.actor, "vault.refused", practitioner.actor)
        return render(request, "vault/unlock.html", {**about, "errors": [WRONG]}, status=403)
    name = people.name_of(practitioner)
    try:
        sessions.hold(request, services.unlock(name, password) or services.make_pair(name, password))
    except DamagedError:
        return render(request, "vault/unlock.html", {**about, "errors": [OTHER]}, status=409)
    audit.record(practitioner.actor, "vault.unlock", practitioner.actor)
    return redirect(about["next"])
