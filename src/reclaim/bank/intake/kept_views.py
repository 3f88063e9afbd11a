"""What an organisation keeps of its work for the person: to read, to correct, to end and to have erased."""

from __future__ import annotations

import contextlib

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from reclaim.bank.cases import numbers, own_keys
from reclaim.bank.cases.queries import access_case, access_session_case
from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.queries import access_own_case_files
from reclaim.bank.casework.services import (
    StateError,
    WordsError,
    add_persons_note,
    ask_for_notes,
    erase_for_person,
)
from reclaim.bank.cooperation.plans import PlanError, end_plan
from reclaim.bank.intake.case_views import slow_down
from reclaim.bank.intake.kept import kept as kept_of
from reclaim.bank.vault import people, sessions
from reclaim.bank.vault.keys import DamagedError, Unlocked
from reclaim.bank.vault.services import NoKeyError, case_key
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.limits import SlowDownError, network_of

_SEALED = "own_key"
"""In a session: the person's private key, under a key that only the open page has."""


def _page(
    request: HttpRequest,
    case_files: list[CaseFile],
    unlocked: Unlocked | None = None,
    *,
    opens: str = "",
    typed: str = "",
    error: str = "",
    locked_error: str = "",
) -> HttpResponse:
    (case_file, *earlier), key, no_key = case_files, None, False
    if unlocked is not None:
        try:
            key = case_key(unlocked, case_file.pk)
        except (NoKeyError, DamagedError):
            no_key = True
    try:
        told = kept_of(case_file, key)
    except DamagedError:
        told, no_key = kept_of(case_file), True
    context = {
        "kept": told,
        "earlier": [kept_of(each) for each in earlier],
        "opens": opens if key else "",
        "no_key": no_key,
        "typed": typed,
        "error": error,
        "locked_error": locked_error,
    }
    return render(request, "intake/case_kept.html", context, status=422 if error or locked_error else 200)


@requires(Access.CASE)
@require_http_methods(["GET", "HEAD", "POST"])
def kept(request: HttpRequest, organisation: int) -> HttpResponse:
    """What is kept (GET); the words, too, with the case's number and PIN (POST ``number``, ``pin``)."""
    case = access_session_case(request)
    case_files = access_own_case_files(case, organisation)
    if request.method != "POST":
        request.session.pop(_SEALED, None)
        return _page(request, case_files)
    try:
        number = numbers.parse_number(request.POST.get("number", "")[:100])
        pin = numbers.parse_pin(request.POST.get("pin", "")[:100])
        found = access_case(number, pin, network_of(request))
    except numbers.MistypedError as mistyped:
        return _page(request, case_files, locked_error=_(mistyped.mistake.value))
    except SlowDownError as slow:
        return slow_down(request, slow.seconds)
    if found is None or found.pk != case.pk:
        wrong = _("We cannot find a case with this number and PIN. Please check both.")
        return _page(request, case_files, locked_error=wrong)
    unlocked = own_keys.unlocked(case, number, pin)
    # Half of it in the session, half of it in the page: neither opens anything alone, and both end with the visit.
    request.session[_SEALED], opens = sessions.sealed_for_session(unlocked)
    return _page(request, case_files, unlocked, opens=opens)


@requires(Access.CASE)
@require_POST
def correct(request: HttpRequest, organisation: int) -> HttpResponse:
    """Say what is wrong and how it should be (POST ``text``, and ``opens`` of the page with the words)."""
    case = access_session_case(request)
    case_files = access_own_case_files(case, organisation)
    opens, typed = request.POST.get("opens", "")[:100], request.POST.get("text", "")[:10_000]
    try:
        unlocked = sessions.opened(people.name_of_person(case.pk), request.session.get(_SEALED), opens)
        key = case_key(unlocked, case_files[0].pk)
    except (sessions.LockedError, NoKeyError, DamagedError):
        return redirect("case-kept", organisation)
    try:
        add_persons_note(case_files[0], key, typed)
    except WordsError:
        sentence = _("Please write something, up to 4000 characters.")
        return _page(request, case_files, unlocked, opens=opens, typed=typed, error=sentence)
    except StateError:
        return redirect("case-helper")
    # Pressed twice, it is said once.
    request.session.pop(_SEALED, None)
    messages.success(request, _("They can read it now."))
    return redirect("case-kept", organisation)


@requires(Access.CASE)
@require_POST
def ask(request: HttpRequest, organisation: int) -> HttpResponse:
    """Ask to read the practitioners' own notes."""
    case_file = access_own_case_files(access_session_case(request), organisation)[0]
    if case_file.case_id is None:
        # Notes are read with a key, which the person gets while they let the organisation see their case.
        return redirect("case-kept", organisation)
    with contextlib.suppress(StateError):
        ask_for_notes(case_file)
        messages.success(request, _("They can see now that you would like to read their notes."))
    return redirect("case-kept", organisation)


@requires(Access.CASE)
@require_POST
def end_days(request: HttpRequest, organisation: int) -> HttpResponse:
    """Nobody asks how the person is any more."""
    for case_file in access_own_case_files(access_session_case(request), organisation):
        # Somebody there may have ended it in the same moment, or there was none.
        with contextlib.suppress(PlanError):
            end_plan(None, case_file)
    return redirect("case-kept", organisation)


@requires(Access.CASE)
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, organisation: int) -> HttpResponse:
    """Ask whether all of it is to be erased (GET), and do it (POST)."""
    case = access_session_case(request)
    try:
        case_file, *_others = access_own_case_files(case, organisation)
    except Http404:
        if request.method != "POST":
            raise
        # Whoever pressed twice reads that it is done, and not that nothing was found.
        return redirect("case-helper")
    if request.method != "POST":
        return render(request, "intake/case_kept_erase.html", {"kept": case_file})
    erase_for_person(case, organisation)
    messages.success(request, _("All of it is erased."))
    return redirect("case-helper")
