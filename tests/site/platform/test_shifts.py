"""Shifts: breaks are suggested and never forced, looks are counted, and nobody is watched."""

from __future__ import annotations

import datetime
import io

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from reclaim.platform.inbox.models import Match, Rules
from reclaim.platform.review.models import BreakWeek, Look, Preferences, Shift
from reclaim.platform.review.services import forget_shifts
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.permissions import Role
from tests.members import OWN_PAGE, make_member, signed_in
from tests.site.platform.world import ASTRONAUT, PlatformApi, bank_has, edited

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(reviewer: Client) -> Client:
    reviewer.defaults.update({"HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_SITE": "same-origin"})
    return reviewer


@pytest.fixture
def match(api: PlatformApi) -> str:
    bank_has(ASTRONAUT)
    return str(api.uploaded(edited(ASTRONAUT))["matches"][0]["match"])


def page(client: Client, path: str = "/") -> str:
    return client.get(path).content.decode()


def minutes_pass(minutes: int) -> None:
    """All that is remembered of shifts happened so much earlier."""
    for model in (Shift, Look):
        for row in model._default_manager.all():
            for name in ("started_at", "last_seen_at", "works_since", "postponed_until", "began_at", "ended_at"):
                if getattr(row, name, None) is not None:
                    setattr(row, name, getattr(row, name) - datetime.timedelta(minutes=minutes))
            row.save()


def work(client: Client, minutes: int) -> None:
    for _ in range(minutes // 5):
        minutes_pass(5)
        page(client)


def test_a_break_is_suggested_after_a_while_put_off_once_and_taken_by_being_away(ada: Client, match: str) -> None:
    assert "Take a break" not in page(ada)
    work(ada, 50)
    assert "In ten minutes" in page(ada)
    assert f"/matches/{match}/" in page(ada), "what is urgent is never in the way"
    ada.post("/break/later")
    assert "Take a break" not in page(ada)
    work(ada, 10)
    again = page(ada)
    assert "Take a break" in again
    assert "In ten minutes" not in again
    assert "A break until" in page(ada, "/break/")
    minutes_pass(10)
    assert "Take a break" not in page(ada)
    assert (Shift.objects.get().breaks_due, Shift.objects.get().breaks_taken) == (1, 1)


def test_what_was_shown_clearly_is_counted_and_told_to_its_member_alone(ada: Client, match: str) -> None:
    ada.get(f"/matches/{match}/picture")
    for _ in range(3):
        ada.get(f"/matches/{match}/picture?shown=1")
        minutes_pass(1)
        page(ada)
    assert "3 shown clearly, 3 min." in page(ada, f"/matches/{match}/")
    ada.get(f"/matches/{match}/picture?shown=1")
    minutes_pass(9)
    page(ada)
    assert "4 shown clearly, 5 min." in page(ada, f"/matches/{match}/"), "a page left open counts for two minutes"
    assert ada.post("/shift/end")["Location"] == "/shift/"
    summary = page(ada, "/shift/")
    assert "That was your shift" in summary
    assert "<dt>Pictures shown clearly</dt><dd>4</dd>" in summary
    other = Client(headers=OWN_PAGE)
    signed_in(other, Role.ADMIN)
    assert "None has begun." in page(other, "/shift/")
    assert "5 min" not in page(other, "/rules/")
    assert not AuditEvent.objects.filter(action__contains="shift").exists()
    minutes_pass(61)
    assert forget_shifts() == 1
    assert not Look.objects.exists()


def test_a_shift_that_was_left_ends_by_itself(ada: Client) -> None:
    page(ada)
    minutes_pass(241)
    assert forget_shifts() == 1, "it ended when its member was last seen"
    page(ada)
    minutes_pass(241)
    page(ada)
    assert [shift.ended_at is None for shift in Shift.objects.order_by("pk")] == [False, True]


@pytest.mark.parametrize("hard", [False, True])
def test_a_cap_for_the_hour_is_said_and_holds_where_an_admin_made_it_hard(ada: Client, match: str, hard: bool) -> None:
    Rules.objects.create(pk=1, hourly_minutes=2, hourly_cap_is_hard=hard)
    ada.get(f"/matches/{match}/picture?shown=1")
    minutes_pass(2)
    assert "within this hour" in page(ada, f"/matches/{match}/")
    ada.post("/shift/end")
    again = ada.get(f"/matches/{match}/picture?shown=1")
    assert again.status_code == (429 if hard else 200), "a new shift is no way around it"
    assert ada.get(f"/matches/{match}/picture").status_code == 200
    if hard:
        assert 0 < int(again["Retry-After"]) <= 3600
        minutes_pass(60)
        assert ada.get(f"/matches/{match}/picture?shown=1").status_code == 200
        return
    assert ada.post(f"/matches/{match}/decision", {"decision": "blocked"}).status_code == 302


def test_supervisors_learn_of_breaks_only_what_tells_nothing_of_one_person(ada: Client) -> None:
    admin = Client(headers=OWN_PAGE)
    signed_in(admin, Role.ADMIN)
    today = timezone.now().date()
    BreakWeek.objects.create(monday=today - datetime.timedelta(days=today.weekday()), due=8, taken=7)
    assert "Not enough members" in page(admin, "/rules/")
    make_member(Role.LEAD)
    assert "7 of 8 breaks" in page(admin, "/rules/")
    BreakWeek.objects.update(due=4)
    assert "Not enough members" in page(admin, "/rules/")


def test_a_member_s_settings_are_theirs_and_a_wrong_one_is_refused(ada: Client, match: str) -> None:
    form = {"blur": "40", "size": "192", "hide_after": "0", "goes_on": "on"}
    for wrong in ({"blur": "512"}, {"size": "1"}, {"hide_after": "601"}, {"hide_after": "x"}):
        assert ada.post("/preferences/", form | wrong).status_code == 400, wrong
    assert "data-shortcuts" in page(ada, f"/matches/{match}/")
    assert ada.post("/preferences/", form).status_code == 302
    likes = Preferences.objects.get()
    assert (likes.blur, likes.size, likes.shortcuts, likes.goes_on) == (40, 192, False, True)
    assert "data-shortcuts" not in page(ada, f"/matches/{match}/")
    for query in ("", "?shown=1"):
        with Image.open(io.BytesIO(ada.get(f"/matches/{match}/picture{query}").content)) as image:
            assert (min(image.size), image.mode) == (192, "L")


def test_the_list_can_be_narrowed_and_a_match_leads_to_the_next(ada: Client, api: PlatformApi, match: str) -> None:
    other = api.uploaded(ASTRONAUT.read_bytes())["matches"][0]["match"]
    Match.objects.filter(pk=other).update(distance=25)

    def listed(query: str) -> list[str]:
        text = page(ada, f"/?{query}")
        return sorted((number for number in (match, other) if number in text), key=text.index)

    assert listed("") == [match, other]
    assert listed("order=newest") == [other, match]
    assert (listed("near=near"), listed("near=far")) == ([match], [other])
    assert (listed("kind=video"), listed("ai=on"), listed("waits=own")) == ([], [], [])
    for each in Match.objects.select_related("signal")[:1]:
        each.signal.labels = ["made-with-ai"]  # type: ignore[union-attr]
        each.signal.save()  # type: ignore[union-attr]
    assert listed("ai=on") == [match, other]
    assert ada.get("/?kind=song").status_code == 400
    assert f'href="/matches/{other}/?near=" data-key="n"' in page(ada, f"/matches/{match}/?near=")
    Preferences.objects.create(member_id=Shift.objects.get().member_id, goes_on=True)
    sent = ada.post(f"/matches/{match}/decision?order=", {"decision": "not-blocked"})
    assert sent["Location"] == f"/matches/{other}/?order="
    assert "Take that back" in page(ada, sent["Location"])
