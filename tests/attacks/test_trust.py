"""Attacks on the trust in signals, as sentences."""

from __future__ import annotations

import pytest
from django.test import Client

from reclaim.bank.intake.told import told
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.trust.models import Correction
from reclaim.bank.trust.services import correct
from reclaim.sitekit.permissions import Role
from tests.members import OWN_PAGE, signed_in
from tests.personas import ActingPlatform, a_case, pdq_value
from tests.site.bank.test_trust import record, reject, says

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]


def test_one_hostile_platform_alone_switches_off_nothing_and_staff_see_what_it_does(client: Client) -> None:
    hostile = ActingPlatform.vetted("Hostile")
    seeds = range(1, 26)
    a_case(*seeds)
    for reason in ("not-the-same", "not-intimate", "not-the-same"):
        words = [
            {"hashValue": pdq_value(seed), "feedbackValue": "NotBlocked", "tags": [f"reason:{reason}"]}
            for seed in seeds
        ]
        assert hostile.post("SubmitFeedback", {"count": 25, "hashFeedbacks": words}).json()["count"] == 25
    assert set(LedgerRecord.objects.values_list("review_only", "trust")) == {(False, 30)}
    signed_in(client, Role.OPERATOR)
    page = client.get("/staff/signals/", headers=OWN_PAGE).content.decode()
    assert '<dt>Hostile</dt><dd><span class="tag warn">25 of 25</span>' in page
    assert page.count("data-signal") == 25


def test_two_platforms_cannot_switch_off_what_two_others_block() -> None:
    platforms = [ActingPlatform.vetted(name) for name in ("One", "Two", "Three", "Four")]
    a_case(1)
    reject(1, *platforms[:2])
    for platform in platforms[2:]:
        says(platform, 1, "Blocked")
    assert not record(1).review_only


def test_a_hostile_platform_cannot_undo_a_restoration_by_repeating_itself() -> None:
    hostile, careless = ActingPlatform.vetted("Hostile"), ActingPlatform.vetted("Careless")
    a_case(1)
    reject(1, hostile, careless)
    correct(record(1).pk, Correction.Decision.RESTORE, "member:1")
    reject(1, hostile)
    says(hostile, 1, "PendingReview")
    reject(1, hostile)
    assert not record(1).review_only


def test_many_reports_of_one_value_do_not_make_it_ever_more_trusted() -> None:
    for _ in range(3):
        a_case(1)
    trusted = record(1).trust
    for _ in range(5):
        a_case(1)
    assert record(1).trust == trusted == 65


def test_a_person_cannot_tell_from_the_doubt_on_her_page_that_somebody_else_reported_the_picture() -> None:
    """What was said of it before, or of somebody else's report, is not told to her; what is said later is."""
    one, two = ActingPlatform.vetted("One"), ActingPlatform.vetted("Two")
    a_case(1)
    reject(1, one, two)
    mine, control = a_case(1).case, a_case(2).case
    assert record(1).review_only
    assert (told(mine).doubted, told(control).doubted) == (False, False)
    reject(1, one)
    reject(2, one)
    assert (told(mine).doubted, told(control).doubted) == (False, False)
    reject(1, two)
    reject(2, two)
    assert (told(mine).doubted, told(control).doubted) == (True, True)
    correct(record(1).pk, Correction.Decision.RESTORE, "member:1")
    correct(record(2).pk, Correction.Decision.RESTORE, "member:1")
    assert (told(mine).doubted, told(control).doubted) == (False, False)
