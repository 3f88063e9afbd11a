"""A trainee opens the bank's own pages, signed in as a practice account; no password or second factor is asked for."""

from __future__ import annotations

import time

from django.contrib.auth import login
from django.http import HttpRequest
from django.urls import reverse

from reclaim.bank.training.models import Play
from reclaim.bank.training.scenarios import Step
from reclaim.bank.training.services import TrainingError, practice_member
from reclaim.bank.vault import people
from reclaim.bank.vault.services import unlock
from reclaim.bank.vault.sessions import hold
from reclaim.sitekit.accounts import sessions
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.queries import SIGNED_IN_AT
from reclaim.sitekit.accounts.views import BACKEND
from reclaim.sitekit.permissions import FACTOR_AT, Role


def open_page(request: HttpRequest, play: Play, step: Step) -> str:
    """Sign the trainee in as whom the step needs; returns the address of the page. Raises ``TrainingError``."""
    gone = TrainingError("This is no longer there. Ask the facilitator to begin anew.")
    if step.opens == "own-case":
        return reverse("case-sign-in")
    if step.opens in ("demand", "demand-second"):
        if play.demand_id is None:
            raise gone
        _enter(request, practice_member(Role.OPERATOR if step.opens == "demand" else Role.OVERSEER))
        return reverse("demand", args=[play.demand_id])
    practitioner = play.trainee.practitioner
    if play.case_file_id is None or practitioner is None:
        raise gone
    _enter(request, practitioner.member)
    unlocked = unlock(people.name_of(practitioner), play.trainee.secret)
    if unlocked is not None:
        hold(request, unlocked)
    return reverse("takedown-case" if step.opens == "links" else "case-file", args=[play.case_file_id])


def _enter(request: HttpRequest, member: Member) -> None:
    request.session.flush()
    login(request, member, backend=BACKEND)
    request.session[SIGNED_IN_AT] = request.session[FACTOR_AT] = time.time()
    sessions.begin(request, member)
