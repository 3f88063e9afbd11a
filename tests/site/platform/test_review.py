"""The review pages, as a browser without scripts sees them."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from reclaim.platform.inbox.models import Decision, Match, Upload
from reclaim.platform.inbox.services import delete_orphaned_copies
from reclaim.platform.subscription.bank import BankAccess, save_bank
from reclaim.protocol.stopncii_v1 import FeedbackValue
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.models import AuditEvent
from tests.site.platform.world import (
    ASTRONAUT,
    CAT,
    PlatformApi,
    bank_has,
    bank_sends,
    bank_withdraws,
    edited,
    pdq,
    record,
)

pytestmark = pytest.mark.django_db

OWN_PAGE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


@pytest.fixture
def match(api: PlatformApi) -> str:
    """The number of a match that waits."""
    bank_has(ASTRONAUT)
    return str(api.uploaded(edited(ASTRONAUT))["matches"][0]["match"])


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image, dtype=np.int16)


def detail(values: np.ndarray) -> float:
    """How much neighbouring pixels differ, on the average."""
    return float(np.abs(np.diff(values, axis=1)).mean())


def test_without_sign_in_every_page_leads_to_the_sign_in_page(match: str) -> None:
    for path in ("/", f"/matches/{match}/", f"/matches/{match}/picture", "/account/password/"):
        answer = Client().get(path, headers={"Accept": "text/html"})
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")


def test_signing_out_ends_the_session(reviewer: Client) -> None:
    assert reviewer.get("/", headers=OWN_PAGE).status_code == 200
    reviewer.post("/sign-out/", headers=OWN_PAGE)
    assert reviewer.get("/", headers=OWN_PAGE)["Location"] == "/sign-in/"


def test_the_queue_lists_what_waits_and_shows_no_picture(reviewer: Client, match: str) -> None:
    page = reviewer.get("/", headers=OWN_PAGE).content.decode()
    assert f'href="/matches/{match}/"' in page
    assert "<img" not in page
    assert pdq(ASTRONAUT) not in page


def test_an_empty_queue_says_so(reviewer: Client) -> None:
    assert "Nothing waits for you" in reviewer.get("/", headers=OWN_PAGE).content.decode()


def test_the_picture_is_blurred_on_the_server_until_it_is_asked_for(reviewer: Client, match: str) -> None:
    page = reviewer.get(f"/matches/{match}/", headers=OWN_PAGE).content.decode()
    assert re.findall(r'<img src="([^"]+)"', page) == [f"/matches/{match}/picture?still=1"]
    asked = reviewer.get(f"/matches/{match}/?shown=1", headers=OWN_PAGE).content.decode()
    assert re.findall(r'<img src="([^"]+)"', asked) == [f"/matches/{match}/picture?still=1&amp;shown=1"]
    blurred = pixels(reviewer.get(f"/matches/{match}/picture").content)
    shown = pixels(reviewer.get(f"/matches/{match}/picture?shown=1").content)
    with Image.open(io.BytesIO(edited(ASTRONAUT))) as original:
        grey = original.convert("L").resize((shown.shape[1], shown.shape[0]))
    assert blurred.shape == shown.shape
    assert blurred.ndim == 2, "grey"
    assert np.abs(shown - np.asarray(grey, dtype=np.int16)).mean() < 6
    assert detail(blurred) < detail(shown) / 4


def test_no_more_than_twelve_by_twelve_values_of_a_blurred_picture_leave_the_server(
    reviewer: Client, match: str
) -> None:
    blurred = Image.open(io.BytesIO(reviewer.get(f"/matches/{match}/picture").content))
    few = blurred.resize((12, 12), Image.Resampling.BOX).resize(blurred.size, Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(few, dtype=np.int16) - np.asarray(blurred, dtype=np.int16)).mean() < 6


def test_a_turned_phone_picture_is_shown_upright(api: PlatformApi, reviewer: Client) -> None:
    out = io.BytesIO()
    with Image.open(CAT) as image:
        exif = Image.Exif()
        exif[0x0112] = 6
        image.save(out, "JPEG", exif=exif)
        upright = image.transpose(Image.Transpose.ROTATE_270).convert("L")
    bank_has(CAT)
    match = api.uploaded(out.getvalue())["matches"][0]["match"]
    shown = pixels(reviewer.get(f"/matches/{match}/picture?shown=1").content)
    assert shown.shape[0] > shown.shape[1]
    expected = np.asarray(upright.resize((shown.shape[1], shown.shape[0])), dtype=np.int16)
    assert np.abs(shown - expected).mean() < 8


def test_every_read_and_write_of_a_reviewer_is_audited(reviewer: Client, match: str) -> None:
    who = Member.objects.get().actor
    AuditEvent.objects.all().delete()
    reviewer.get("/", headers=OWN_PAGE)
    reviewer.get(f"/matches/{match}/", headers=OWN_PAGE)
    reviewer.get(f"/matches/{match}/picture")
    reviewer.get(f"/matches/{match}/?shown=1", headers=OWN_PAGE)
    reviewer.get(f"/matches/{match}/picture?shown=1")
    reviewer.post(f"/matches/{match}/decision", {"decision": "blocked"}, headers=OWN_PAGE)
    target = f"match:{match}"
    assert list(AuditEvent.objects.order_by("pk").values_list("actor", "action", "target")) == [
        (who, "queue.read", "matches:open"),
        (who, "match.read", target),
        (who, "blurred.read", target),
        (who, "match.read", target),
        (who, "shown.read", target),
        (who, "match.read", target),
        (who, "match.blocked", target),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_decision_is_kept_with_its_reviewer_and_the_picture_is_shown_no_more_and_deleted_in_time(
    reviewer: Client, match: str, data_folder: Path
) -> None:
    form = {"decision": "blocked", "note": "plain"}
    answer = reviewer.post(f"/matches/{match}/decision", form, headers=OWN_PAGE, follow=True)
    assert "Blocked" in answer.content.decode()
    decision = Decision.objects.get()
    assert (decision.reviewer, decision.verdict, decision.note) == ("Ada", "blocked", "plain")
    assert reviewer.get(f"/matches/{match}/picture").status_code == 410
    closed = reviewer.get(f"/matches/{match}/", headers=OWN_PAGE).content.decode()
    assert "<img" not in closed
    assert "Ada: block it" in closed
    (copy,) = (data_folder / "uploads").iterdir()
    os.utime(copy, (0, 0))
    assert delete_orphaned_copies() == 0, "it is kept for a second look"
    Upload.objects.update(copy_until=timezone.now())
    assert delete_orphaned_copies() == 1
    assert not copy.exists()


def test_a_decision_sent_twice_is_harmless_and_another_one_is_refused(reviewer: Client, match: str) -> None:
    for _ in range(2):
        answer = reviewer.post(f"/matches/{match}/decision", {"decision": "not-blocked"}, headers=OWN_PAGE)
        assert answer.status_code == 302
    assert Decision.objects.count() == 1
    refused = reviewer.post(f"/matches/{match}/decision", {"decision": "blocked"}, headers=OWN_PAGE)
    assert refused.status_code == 409
    assert Match.objects.get().status == "not-blocked"


@pytest.mark.parametrize(
    "form",
    [{}, {"decision": "maybe"}, {"decision": "blocked", "note": "a" * 501}, {"decision": "blocked", "note": "\0"}],
)
def test_a_decision_that_does_not_fit_decides_nothing(reviewer: Client, match: str, form: dict[str, str]) -> None:
    assert reviewer.post(f"/matches/{match}/decision", form, headers=OWN_PAGE).status_code == 400
    assert Match.objects.get().status == "open"


def test_a_match_whose_signal_was_withdrawn_says_so(reviewer: Client, match: str) -> None:
    bank_withdraws(ASTRONAUT)
    page = reviewer.get(f"/matches/{match}/", headers=OWN_PAGE).content.decode()
    assert "withdrew" in page
    assert "<img" not in page


def test_what_other_platforms_did_is_told_and_not_what_we_said_ourselves(
    api: PlatformApi, reviewer: Client, data_folder: Path
) -> None:
    keys = dict.fromkeys(("fetch_key", "submit_key", "feedback_key", "subscription_key"), "k")
    save_bank(data_folder / "bank.json", BankAccess(url="http://127.0.0.1:1/v1", name="Ours", **keys))
    bank_sends(
        record(pdq(ASTRONAUT), Other=FeedbackValue.BLOCKED, Ours=FeedbackValue.BLOCKED, Quiet=FeedbackValue.NONE)
    )
    match = api.uploaded(edited(ASTRONAUT))["matches"][0]["match"]
    page = reviewer.get(f"/matches/{match}/", headers=OWN_PAGE).content.decode()
    assert "Other removed a copy." in page
    assert "Ours" not in page
    assert "Quiet" not in page


def test_what_another_platform_calls_itself_cannot_become_markup(api: PlatformApi, reviewer: Client) -> None:
    bank_sends(record(pdq(ASTRONAUT), **{"<script>x</script>": FeedbackValue.BLOCKED}))
    match = api.uploaded(edited(ASTRONAUT))["matches"][0]["match"]
    page = reviewer.get(f"/matches/{match}/", headers=OWN_PAGE).content.decode()
    assert "&lt;script&gt;x&lt;/script&gt; removed a copy." in page
    assert page.count("<script") == 1, "our own keys"


def test_no_page_names_another_host_or_carries_a_signal(reviewer: Client, match: str) -> None:
    for path in ("/", f"/matches/{match}/", f"/matches/{match}/?shown=1", "/account/"):
        page = reviewer.get(path, headers=OWN_PAGE).content.decode()
        assert "//" not in page.replace("<!doctype html>", ""), path
        assert pdq(ASTRONAUT) not in page
