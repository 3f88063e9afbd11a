"""How far a signal is trusted, what follows, and how staff correct it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from reclaim.bank.cases.models import CaseItem
from reclaim.bank.cases.services import NewItem, NewSignal, create_case, withdraw
from reclaim.bank.intake.told import told
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.ledger.services import locked_ledger
from reclaim.bank.platforms.models import Platform
from reclaim.bank.trust.models import Correction
from reclaim.bank.trust.queries import rejecting_platforms
from reclaim.bank.trust.score import Evidence, is_doubted, score
from reclaim.bank.trust.services import correct, reconsider
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.permissions import Role
from tests.members import OWN_PAGE, signed_in
from tests.personas import ActingPlatform, a_case, pdq_value

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

DOCUMENT = Path("docs/trust.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| (\d) \| (\d) \| (\d) \| (\d+|–) \| (\d) \| (\d) \| (\d) \| (\d+) \| (yes|no) \|$", DOCUMENT, re.M
)


def says(platform: ActingPlatform, seed: int, feedback: str, *tags: str) -> None:
    """A platform's word on one signal."""
    word = {"hashValue": pdq_value(seed), "feedbackValue": feedback, "tags": list(tags)}
    assert platform.post("SubmitFeedback", {"count": 1, "hashFeedbacks": [word]}).json()["count"] == 1


def reject(seed: int, *platforms: ActingPlatform) -> None:
    """They say that it is something else."""
    for platform in platforms:
        says(platform, seed, "NotBlocked", "reason:not-the-same")


def record(seed: int) -> LedgerRecord:
    return LedgerRecord.objects.get(value=pdq_value(seed))


def three() -> tuple[ActingPlatform, ActingPlatform, ActingPlatform]:
    return ActingPlatform.vetted("One"), ActingPlatform.vetted("Two"), ActingPlatform.vetted("Three")


def test_the_documents_examples_are_what_the_formula_gives() -> None:
    assert len(ROWS) == 14
    for *counts, trust, review in ROWS:
        cases, finds, peers, quality, blocked, rejected, left_up = (
            None if each == "–" else int(each) for each in counts
        )
        known = Evidence(cases or 0, finds or 0, peers or 0, quality, blocked or 0, rejected or 0, left_up or 0)
        assert (score(known), is_doubted(known.blocked, known.rejected)) == (int(trust), review == "yes"), known


def test_trust_follows_every_change_in_the_transaction_that_makes_it() -> None:
    one, two, _ = three()
    first = create_case([NewItem(1, "picture", (NewSignal("pdq", pdq_value(1), quality=60),))])
    assert record(1).trust == 45
    second = create_case([NewItem(1, "picture", (NewSignal("pdq", pdq_value(1), quality=90),))])
    assert record(1).trust == 60
    says(one, 1, "Blocked")
    assert record(1).trust == 75
    says(two, 1, "NotBlocked", "reason:allowed-here")
    assert record(1).trust == 72
    withdraw(second.case)
    assert record(1).trust == 57
    says(one, 1, "PendingReview")
    assert record(1).trust == 42
    withdraw(first.case)
    assert record(1).status == "withdrawn"


def test_two_items_of_one_case_are_one_case() -> None:
    exact = "a" * 32
    frames = [("v" * 63 + "1"), ("v" * 63 + "2")]
    create_case(
        [
            NewItem(n, "video", (NewSignal("md5", exact), NewSignal("pdq", pdq_value(n))))
            for n, _ in enumerate(frames, 1)
        ]
    )
    assert LedgerRecord.objects.get(value=exact).trust == 50


def test_a_platforms_own_find_adds_to_a_report_and_a_second_find_to_a_first() -> None:
    one, two, _ = three()
    a_case(1)
    for platform, seed in ((one, 1), (one, 2), (two, 2)):
        sent = {"count": 1, "hashRecords": [{"hashValue": pdq_value(seed), "signalType": "ImagePDQ"}]}
        assert platform.post("SubmitHashes", sent).json()["count"] == 1
    # A find on a signal that a person holds keeps nothing in the bank, and counts for nothing.
    assert (record(1).trust, record(2).trust) == (50, 60)


def test_what_two_platforms_reject_is_for_review_only_in_every_feed_until_one_changes_its_mind() -> None:
    one, two, other = three()
    a_case(1, 2)
    checkpoint = other.fetch().nextSetTimestamp
    reject(1, one, two)
    labels = {entry.hashValue: entry.labels for entry in other.fetch(startTimestamp=checkpoint).hashRecords}
    assert labels[pdq_value(1)] == ["review-only"]
    assert record(1).position > record(2).position
    says(two, 1, "Blocked")
    assert not record(1).review_only
    assert all(entry.labels == [] for entry in other.fetch().hashRecords)


def test_reasons_that_say_nothing_of_the_signal_never_put_it_up_for_review() -> None:
    a_case(1)
    for platform, reason in zip(three(), ("allowed-here", "cannot-tell", "other"), strict=True):
        says(platform, 1, "NotBlocked", f"reason:{reason}")
    assert (record(1).review_only, record(1).trust) == (False, 41)


def test_the_words_of_a_platform_that_lost_its_access_count_no_more() -> None:
    one, two, _ = three()
    a_case(1)
    reject(1, one, two)
    assert reconsider() == 0
    Platform.objects.filter(name="Two").update(revoked_at=timezone.now())
    before = record(1).position
    assert reconsider() == 1
    assert (record(1).review_only, record(1).trust, record(1).position > before) == (False, 30, True)
    assert reconsider() == 0


def test_staff_keep_a_signal_for_review_only_whatever_is_said_later() -> None:
    one, two, _ = three()
    a_case(1)
    reject(1, one, two)
    assert correct(record(1).pk, Correction.Decision.KEEP, "member:1")
    says(one, 1, "Blocked")
    says(two, 1, "Blocked")
    assert record(1).review_only


def test_staff_restore_a_signal_and_only_new_words_count_against_it() -> None:
    one, two, other = three()
    a_case(1)
    reject(1, one, two)
    assert correct(record(1).pk, Correction.Decision.RESTORE, "member:1")
    assert (record(1).review_only, record(1).trust) == (False, 50)
    assert not any(entry.labels for entry in other.fetch().hashRecords)
    reject(1, other)
    assert not record(1).review_only
    says(two, 1, "NotBlocked", "reason:not-intimate")
    assert record(1).review_only


def test_what_was_reported_by_mistake_is_withdrawn_everywhere_and_its_person_is_told_kindly() -> None:
    one, two, other = three()
    mine, hers = a_case(1, 2).case, a_case(1).case
    reject(1, one, two)
    later = a_case(1).case
    assert correct(record(1).pk, Correction.Decision.WITHDRAW, "member:1")
    for case in (mine, hers):
        item = told(case).items[0]
        assert (item.refused, item.why[:29]) == (True, "Websites found something else")
    assert told(mine).items[1].in_place
    # What came after the words is somebody's whom they do not concern: it stays, and people look.
    assert told(later).items[0].in_place
    assert (record(1).status, record(1).review_only) == ("active", True)
    withdraw(later)
    assert other.fetch_all()[pdq_value(1)] == "Withdrawn"
    # Reported once more, it is for review only from the start.
    a_case(1)
    assert record(1).review_only


def test_a_platforms_mistaken_find_is_taken_out_too() -> None:
    one, two, other = three()
    sent = {"count": 1, "hashRecords": [{"hashValue": pdq_value(5), "signalType": "ImagePDQ"}]}
    other.post("SubmitHashes", sent)
    reject(5, one, two)
    assert correct(record(5).pk, Correction.Decision.WITHDRAW, "member:1")
    assert other.fetch_all() == {pdq_value(5): "Withdrawn"}
    assert not correct(record(5).pk, Correction.Decision.RESTORE, "member:1")


def test_staff_see_words_and_trust_never_a_value_and_decide_with_a_button(client: Client) -> None:
    one, two, _ = three()
    a_case(1, 2, 3)
    reject(1, one, two)
    reject(2, one)
    signed_in(client, Role.OPERATOR)
    page = client.get("/staff/signals/", headers=OWN_PAGE).content.decode()
    assert page.count("data-signal") == 2
    assert page.index('data-state="review"') < page.index('data-state="block"')
    assert "Trust 10 of 100" in page
    assert "<strong>One</strong> left it up: it was something else." in page
    assert not any(pdq_value(seed) in page for seed in (1, 2, 3))
    sent = {"signal": record(1).pk, "decision": "restore"}
    answer = client.post("/staff/signals/", sent, headers=OWN_PAGE, follow=True)
    assert "Every platform is told" in answer.content.decode()
    assert not record(1).review_only
    assert AuditEvent.objects.filter(action="signal.restore", target=f"signal:{record(1).pk}").count() == 1
    assert AuditEvent.objects.filter(action="doubted.read").exists()


@pytest.mark.parametrize(
    "sent", [{}, {"signal": "x", "decision": "keep"}, {"signal": "9" * 40, "decision": "keep"}, {"signal": "1"}]
)
def test_a_decision_that_cannot_be_read_gets_a_sentence(client: Client, sent: dict[str, str]) -> None:
    signed_in(client, Role.OPERATOR)
    answer = client.post("/staff/signals/", sent, headers=OWN_PAGE)
    assert answer.status_code == 422
    assert "Press one of the buttons" in answer.content.decode()


def test_who_may_not_correct_signals_is_told_who_may(client: Client) -> None:
    signed_in(client, Role.WATCHER)
    assert client.get("/staff/signals/", headers=OWN_PAGE).status_code == 403


def test_what_a_platform_says_of_its_canaries_counts_nowhere() -> None:
    one, _, _ = three()
    with locked_ledger() as ledger:
        source = ledger.add_source("pdq", pdq_value(9), quality=90)
        assert source.record is not None
        source.record.only_for = one.platform
    a_case(1)
    reject(9, one)
    assert record(9).trust == 30, "the platform sees what it would see of a real signal"
    assert rejecting_platforms() == []
    assert CaseItem.objects.count() == 1
