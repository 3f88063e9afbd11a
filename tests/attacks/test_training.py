"""Who wants something real out of a sandbox, or into it, gets nowhere."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils.html import escape
from pytest_django import Settings

from reclaim.bank.takedown.hosts import NOT_FROM_HERE, ask
from reclaim.bank.takedown.looks import policy
from reclaim.bank.takedown.outside import NOT_IN_A_SANDBOX, no_outside
from reclaim.bank.takedown.reach import NoAnswerError, Reach
from reclaim.bank.training import services
from reclaim.bank.training.closed import NothingLeavesError, insist_on_this_machine
from reclaim.bank.training.guard import HEADER
from reclaim.bank.training.models import Play, Sandbox, Trainee
from reclaim.bank.training.queries import FACILITATOR_COOKIE, code_of, facilitator_token
from reclaim.bank.training.services import TrainingError
from tests.members import OWN_PAGE
from tests.routes import path_of, patterns_of
from tests.training import group_for, make_sandbox, trainee

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sandbox(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_sandbox(settings, monkeypatch, tmp_path)


def test_a_page_of_a_sandbox_passes_for_a_real_one() -> None:
    """Every route is asked as a trainee, as a practitioner and as who proposes answers: each page says what it is."""
    own, client = trainee(group_for("shared"), "one")
    play = services.begin(own, "shared")
    client.post(f"/training/play/{play.pk}/1/open/")
    client.post(f"/training/play/{play.pk}/0/open/")
    services.new_facilitator_code()
    client.cookies[FACILITATOR_COOKIE] = facilitator_token()
    for key in (play.pk, play.case_file_id, own.group_id):
        pages = 0
        for route, _ in patterns_of("reclaim.bank.training.site"):
            path = path_of(route).replace("00000000-0000-4000-8000-000000000001", str(key))
            answer = client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code < 500, path
            assert answer[HEADER] == "nothing here is real", path
            assert not answer.get("Content-Disposition", "").startswith("attachment"), path
            if answer.get("Content-Type", "").startswith("text/html") and answer.content:
                text = answer.content.decode()
                assert "</strong>: nothing here is real." in text, path
                assert "training/sandbox.css" in text, path
                pages += 1
        assert pages > 100


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/start/case/"),
        ("post", "/case/add/send/"),
        ("get", "/start/files/"),
        ("get", "/v1/FetchHashes"),
        ("get", "/v2/signals"),
        ("post", "/v2/applications"),
        ("post", "/v2/federation/statements"),
        ("get", "/ncmec/v2/entries"),
        ("get", "/platforms/join/"),
        ("get", "/staff/platforms/"),
        ("get", "/staff/peers/"),
        ("get", "/helpline/numbers.csv"),
        ("get", "/helpline/export/"),
        ("get", "/helpline/cooperation/officers/"),
    ],
)
def test_a_real_signal_platform_or_bank_comes_in(method: str, path: str) -> None:
    _, client = trainee(group_for("shared"), "one")
    answer = getattr(client, method)(path)
    assert answer.status_code in (403, 404), path


def test_a_link_makes_the_sandbox_ask_a_server() -> None:
    asked = policy()
    for url in ("https://8.8.8.8/", "https://example.org/", "http://127.0.0.1:80/"):
        with Reach(asked) as reach, pytest.raises(NoAnswerError):
            reach.ask(url)
    facts, fault = ask("example.org", asked, "https://data.iana.org/rdap/")
    assert (facts.registrar, fault) == ("", NOT_FROM_HERE)


@pytest.mark.parametrize("variable", NOT_IN_A_SANDBOX)
def test_a_sandbox_is_told_a_real_mail_server(variable: str, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"Leave {variable} out"):
        no_outside({variable: "smtp://mail.example"}, tmp_path)


@pytest.mark.parametrize("host", ["93.184.215.14", "2606:2800::1", "example.org", b"example.org", "10.0.0.1"])
def test_code_in_a_sandbox_connects_to_another_machine(host: str) -> None:
    with pytest.raises(NothingLeavesError):
        insist_on_this_machine("socket.getaddrinfo", (host, 443, 0, 0, 0))
    if isinstance(host, str):
        with socket.socket() as plain, pytest.raises(NothingLeavesError):
            insist_on_this_machine("socket.connect", (plain, (host, 443)))


def test_code_in_a_sandbox_reaches_its_own_machine() -> None:
    with socket.socket() as plain:
        insist_on_this_machine("socket.connect", (plain, ("127.0.0.1", 80)))
    insist_on_this_machine("socket.getaddrinfo", ("localhost", 80, 0, 0, 0))
    insist_on_this_machine("os.listdir", ("/",))


@pytest.mark.parametrize("nickname", ["<script>x</script>", "=cmd|'/C calc'!A1", "{{ 7 }}", 'O\'Neil & "Co"'])
def test_a_nickname_is_code(nickname: str) -> None:
    group = group_for("shared")
    trainee(group, nickname)
    services.new_facilitator_code()
    client = Client(headers=OWN_PAGE)
    client.cookies[FACILITATOR_COOKIE] = facilitator_token()
    page = client.get(f"/training/facilitator/groups/{group.pk}/").content.decode()
    assert escape(nickname) in page
    assert "<script>" not in page


@pytest.mark.parametrize("nickname", ["", "   ", "a" * 25, "\u202eevil", "a\u0000b", "\x1b[31m", "🙂", "--"])
def test_a_nickname_hides_or_breaks_a_page(nickname: str) -> None:
    group = group_for("shared")
    with pytest.raises(TrainingError):
        trainee(group, nickname)
    answer = Client(headers=OWN_PAGE).post("/training/", {"code": code_of(group.pk), "nickname": nickname})
    assert answer.status_code == 400
    assert not Trainee.objects.exists()


def test_a_trainee_reads_or_decides_anothers_play() -> None:
    group = group_for("shared")
    one, _ = trainee(group, "one")
    _, other = trainee(group, "two")
    play = services.begin(one, "shared")
    for path in (f"/training/play/{play.pk}/0/", f"/training/play/{play.pk}/debrief/"):
        assert other.get(path).status_code == 404
    assert other.post(f"/training/play/{play.pk}/0/", {"choice": "evidence"}).status_code == 404
    assert other.post(f"/training/play/{play.pk}/0/open/").status_code == 404
    # Nor by the bank's own pages, as a practitioner.
    other_play = services.begin(Trainee.objects.get(nickname="two"), "shared")
    other.post(f"/training/play/{other_play.pk}/0/open/")
    assert other.get(f"/helpline/cases/{play.case_file_id}/").status_code == 404


def test_a_decision_is_taken_twice_or_ahead_of_its_turn() -> None:
    own, client = trainee(group_for("shared"), "one")
    play = services.begin(own, "shared")
    at = f"/training/play/{play.pk}"
    assert client.post(f"{at}/2/", {"choice": "least"}).status_code == 302
    client.post(f"{at}/0/", {"choice": "download"})
    client.post(f"{at}/0/", {"choice": "evidence"})
    assert [each.choice for each in play.decisions.all()] == ["download"]
    assert client.post(f"{at}/1/", {"choice": "nothing like it"}).status_code == 400
    assert Play.objects.get(pk=play.pk).at == 1


def test_a_facilitators_place_is_taken_by_guessing_or_by_an_old_cookie() -> None:
    services.new_facilitator_code()
    old = facilitator_token()
    code = services.new_facilitator_code()
    client = Client(headers=OWN_PAGE)
    for wrong in (old, "", "x" * 64, "é"):
        client.cookies[FACILITATOR_COOKIE] = wrong
        assert client.get("/training/facilitator/groups/")["Location"] == "/training/facilitator/"
    answers = [client.post("/training/facilitator/", {"code": f"AAAA-{n:04}"}).status_code for n in range(12)]
    assert answers[:10] == [403] * 10
    assert answers[-1] == 429
    # Not even the right one now.
    assert client.post("/training/facilitator/", {"code": code}).status_code == 429


def test_a_bank_that_was_used_is_made_a_sandbox() -> None:
    Sandbox.objects.all().delete()
    assert services.make_sandbox()
    Sandbox.objects.all().delete()
    services.practice_member(services.Role.OPERATOR)
    assert not services.make_sandbox()
    assert not Sandbox.objects.exists()
