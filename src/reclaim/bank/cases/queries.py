"""Reads on cases, and the only ways to get one: with number and PIN, or from a session that had them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from reclaim.bank.cases import numbers, pins
from reclaim.bank.cases.models import Case, CaseItem
from reclaim.bank.ledger.models import Source
from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, check_for
from reclaim.sitekit.limits import Limit, SlowDownError, seconds_to_wait
from reclaim.sitekit.problems import problem

SESSION_KEY = "case"

# One network gets 5 tries at one case, so that it takes 60 networks to use up what the case has for all of them.
# Eight digits at 300 tries in 10 minutes: somebody who knows the number, and has so many networks, guesses the PIN with
# a chance of 0.04 % a day.
PER_NETWORK_AND_CASE = Limit("case sign-in, network and case", tries=5, window=600)
PER_NETWORK = Limit("case sign-in, network", tries=30, window=600)
PER_CASE = Limit("case sign-in, case", tries=300, window=600)


def access_case(number: str, pin: str, network: bytes) -> Case | None:
    """The case with this number and PIN (both parsed), or ``None``: no such case and wrong PIN look the same.

    Raises ``SlowDownError`` before anything is checked when there were too many tries. Call it outside a transaction.
    """
    number_mac = numbers.number_mac(number)
    # The narrow limit alone first: tries that it refuses must not use up what the case has for other networks.
    wait = seconds_to_wait([(PER_NETWORK_AND_CASE, network + number_mac)])
    wait = wait or seconds_to_wait([(PER_NETWORK, network), (PER_CASE, number_mac)])
    if wait:
        raise SlowDownError(wait)
    case = Case.objects.filter(number_mac=number_mac).first()
    return case if pins.pin_is_right(case.pin_hash if case else None, number, pin) else None


def access_session_case(request: HttpRequest) -> Case:
    """The case of this session; the route's access check has already found it."""
    case: Case = request.case  # type: ignore[attr-defined]
    return case


def made_with_ai(records: Iterable[int]) -> set[int]:
    """Those of these ledger records, by key, that whoever has the signal in place calls made or changed with AI."""
    sources = Source.objects.filter(record__in=list(records), state=Source.State.ACTIVE)
    by_persons = sources.filter(casesignal__item__made_with_ai=CaseItem.MadeWithAi.YES).values_list("record_id")
    said = by_persons.union(sources.filter(made_with_ai=True).values_list("record_id"))
    return {record for (record,) in said if record is not None}


MOST_HELD_SHOWN = 100


def access_held_items(actor: str) -> list[CaseItem]:
    """The oldest held items, for the staff of the bank, and the note that it looked."""
    with transaction.atomic():
        held = list(CaseItem.objects.filter(state=CaseItem.State.HELD).order_by("pk")[:MOST_HELD_SHOWN])
        audit.record(actor, "held.read", f"items:{len(held)}")
    return held


@check_for(Access.CASE)
def _check_case_session(request: HttpRequest) -> HttpResponse | None:
    case_id = request.session.get(SESSION_KEY)
    case = Case.objects.filter(pk=case_id).first() if case_id else None
    if case is None:
        if request.content_type == "application/json":
            return problem(401, "No case is open", "Open the case again with its number and PIN, then send this again.")
        return redirect("case-sign-in")
    # The half hour begins anew: only here, so that a cookie that somebody made up is no row in the database.
    request.session.modified = True
    request.case = case  # type: ignore[attr-defined]
    return None
