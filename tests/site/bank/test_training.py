"""A training: every scenario played through its pages, days that pass, groups, certificates, translated files."""

from __future__ import annotations

import datetime
import os
import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from reclaim.bank import work
from reclaim.bank.cases.models import CaseItem
from reclaim.bank.casework.models import CaseFile
from reclaim.bank.cooperation.models import LegalDemand
from reclaim.bank.law.laws import Law
from reclaim.bank.law.queries import law_by_key
from reclaim.bank.takedown import mail
from reclaim.bank.takedown.models import Link, RunningClock, TakedownRequest
from reclaim.bank.takedown.services import Draft, draft_request
from reclaim.bank.training import queries, scenarios, services
from reclaim.bank.training.models import Certificate, Group, Play, Trainee
from reclaim.bank.training.queries import FACILITATOR_COOKIE, code_of, facilitator_token
from reclaim.bank.training.scenarios import Choice, Step
from reclaim.bank.training.services import new_group
from tests.members import OWN_PAGE
from tests.training import english_texts, group_for, make_sandbox, trainee

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sandbox(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_sandbox(settings, monkeypatch, tmp_path)


@pytest.fixture
def facilitator() -> Client:
    services.new_facilitator_code()
    client = Client(headers=OWN_PAGE)
    client.cookies[FACILITATOR_COOKIE] = facilitator_token()
    return client


def best(step: Step) -> Choice:
    return max(step.choices, key=lambda choice: choice.points)


def worst(step: Step) -> Choice:
    return min(step.choices, key=lambda choice: choice.points)


def play_through(client: Client, key: str) -> Play:
    """Begin a scenario and decide well at each step, through the pages alone."""
    scenario = scenarios.english()[key]
    began = client.post(f"/training/scenario/{key}/")
    for number, step in enumerate(scenario.steps):
        address = began["Location"].rsplit("/", 2)[0] + f"/{number}/"
        page = client.get(address).content.decode()
        assert "What do you do?" in page
        assert not re.search(r"\{[a-z]+\}|\((?:no case file|no link|none)\)", page), address
        if step.opens:
            opened = client.post(f"{address}open/")
            assert opened.status_code == 302, address
            own = client.get(opened["Location"])
            assert own.status_code == 200, opened["Location"]
            assert "nothing here is real" in own.content.decode()
        choice = best(step)
        assert client.post(address, {"choice": choice.key}).status_code == 302
        told = client.get(address).content.decode()
        assert "You chose" in told
        assert f"{choice.points} of {step.most} points" in told
    return Play.objects.get(pk=began["Location"].split("/")[3])


@pytest.mark.parametrize("key", sorted(scenarios.english()))
def test_every_scenario_is_played_through_well_and_badly(key: str) -> None:
    group = group_for(key)
    _, client = trainee(group, "well")
    play = play_through(client, key)
    page = client.get(f"/training/play/{play.pk}/debrief/").content.decode()
    assert play.finished_at is not None
    assert 'class="count">100 %' in page
    assert "To talk about" in page

    own, client = trainee(group, "badly")
    play = services.begin(own, key)
    for number, step in enumerate(scenarios.english()[key].steps):
        services.decide(play, number, worst(step).key)
    page = client.get(f"/training/play/{play.pk}/debrief/").content.decode()
    said = re.search(r'class="count">(\d+) %', page)
    assert said is not None
    assert int(said[1]) < 50
    assert "Worth another look" in page


def test_the_made_up_world_is_in_the_banks_own_tables_and_moves_with_the_days() -> None:
    group = group_for("shared")
    own, _ = trainee(group, "one")
    play = services.begin(own, "shared")
    link = Link.objects.get(case_file=play.case_file)
    assert link.state == Link.State.UP
    services.decide(play, 0, "evidence")
    services.decide(play, 1, "form")
    asked = TakedownRequest.objects.get(link=link)
    assert asked.state == TakedownRequest.State.ANSWERED
    assert asked.replies.count() == 1
    clock = RunningClock.objects.get(request=asked, law="us-take-it-down")
    # It was sent a day ago by now, so one of its two days is left.
    left = clock.ends_at - timezone.now()
    assert datetime.timedelta(hours=23) < left <= datetime.timedelta(hours=24)
    services.decide(play, 2, "least")
    link.refresh_from_db()
    # Gone, and two weeks later there again: it is reopened by itself.
    assert (link.state, link.relists) == (Link.State.RELISTED, 1)
    assert link.first_down_on is not None
    assert timezone.now() - link.first_down_on > datetime.timedelta(days=13)
    play.refresh_from_db()
    assert play.days == 15


def test_a_reminder_becomes_due_when_days_have_passed() -> None:
    own, _ = trainee(group_for("hostile-host"), "one")
    play = services.begin(own, "hostile-host")
    for number, key in enumerate(("site-office", "threat")):
        services.decide(play, number, key)
    assert play.case_file is not None
    assert play.case_file.events.filter(kind__contains="due").exists()


def test_under_18_nothing_is_kept_at_all() -> None:
    own, client = trainee(group_for("under-18"), "one")
    play_through(client, "under-18")
    assert CaseFile.objects.count() == 0
    assert Trainee.objects.get(pk=own.pk).practitioner is None


def test_a_made_up_person_withdraws_at_the_real_case_page() -> None:
    own, client = trainee(group_for("withdrawal"), "one")
    play = services.begin(own, "withdrawal")
    signed = client.post("/case/", {"number": play.made_up["number"], "pin": play.made_up["pin"]})
    assert signed.status_code == 302
    assert client.get("/case/pictures/").status_code == 200
    # Looking and withdrawing is all that is open there.
    assert client.get("/case/add/").status_code == 403


def test_of_a_demand_one_seat_proposes_and_the_other_consents() -> None:
    own, client = trainee(group_for("police-demand"), "one")
    play = services.begin(own, "police-demand")
    page = client.post(f"/training/play/{play.pk}/0/open/")["Location"]
    propose = {"answer": "nothing", "reasons": "No picture and no name is held here."}
    assert client.post(f"{page}propose/", propose).status_code == 302
    services.decide(play, 0, "log")
    services.decide(play, 1, "narrow")
    assert client.post(f"/training/play/{play.pk}/2/open/")["Location"] == page
    assert client.post(f"{page}release/", {"do": "release"}).status_code == 302
    assert LegalDemand.objects.get(pk=play.demand_id).state == LegalDemand.State.ANSWERED


def test_a_mail_that_is_sent_lies_in_the_outbox_and_nowhere_else() -> None:

    own, client = trainee(group_for("shared"), "one")
    play = services.begin(own, "shared")
    link = Link.objects.get(case_file=play.case_file)
    practitioner = Play.objects.get(pk=play.pk).trainee.practitioner
    assert practitioner is not None
    draft = Draft(TakedownRequest.Route.MAIL, "abuse@gallery.example", "Please remove this", "It is at the address.")
    made = draft_request(link, practitioner, draft)

    made.message_id = mail.message_id_of(made)
    made.sent_by = practitioner
    made.save()
    assert mail.can_send()
    assert mail.hand_over(mail.compose(made, "Practice Helpline")).sent
    page = client.get("/training/outbox/").content.decode()
    assert "Please remove this" in page
    assert "abuse@gallery.example" in page
    _, other = trainee(group_for("shared"), "two")
    assert "Please remove this" not in other.get("/training/outbox/").content.decode()


def test_a_facilitator_sees_where_everybody_is_moves_them_on_and_begins_anew(facilitator: Client) -> None:
    made = facilitator.post("/training/facilitator/groups/", {"name": "Monday", "track": "police", "language": "en"})
    page = made["Location"]
    group = Group.objects.get()
    assert code_of(group.pk) in facilitator.get(page).content.decode()
    one, client = trainee(group, "Robin")
    play = services.begin(one, "threat-only")
    services.decide(play, 0, "believe")
    shown = facilitator.get(page).content.decode()
    assert "Robin" in shown
    assert "step 2 of 4" in shown
    assert 'name="moved" value="0"' in shown
    # Pressed twice on one page, it counts once.
    for _ in range(2):
        assert facilitator.post(page, {"act": "move-on", "moved": "0"}).status_code == 302
    assert "moved on already" in facilitator.get(page).content.decode()
    play.refresh_from_db()
    assert play.at == 2
    assert "Everyone was moved on" in client.get(f"/training/play/{play.pk}/1/").content.decode()
    facilitator.post(page, {"act": "reset"})
    assert Play.objects.exists(), "not without the tick"
    facilitator.post(page, {"act": "reset", "sure": "1"})
    assert not Play.objects.exists()
    assert not CaseFile.objects.exists()
    assert client.get("/training/").status_code == 200
    facilitator.post(page, {"act": "end", "sure": "1"})
    assert not Trainee.objects.exists()


def test_a_certificate_says_what_was_done_and_not_who_did_it() -> None:
    group = new_group("Reviewers", "platforms", "en")
    own, client = trainee(group, "Robin")
    assert client.post("/training/certificate/")["Location"] == "/training/"
    assert not Certificate.objects.exists()
    for key in scenarios.tracks()["platforms"].scenarios:
        play = services.begin(own, key)
        for number, step in enumerate(scenarios.english()[key].steps):
            services.decide(play, number, best(step).key)
    client.post("/training/certificate/")
    client.post("/training/certificate/")
    found = Certificate.objects.get()
    assert found.score == 100
    page = client.get("/training/certificate/").content.decode()
    assert found.code in page
    assert "Robin" not in page
    # A typed name has nowhere to go: the page has no form, and its field no name.
    assert "<form" not in page
    services.end(group)
    known = Client().get("/training/verify/", {"code": found.code.lower().replace("-", " ")}).content.decode()
    assert "It was given here" in known
    assert "No certificate with this code" in Client().get("/training/verify/", {"code": "AAAA"}).content.decode()


def test_groups_are_forgotten_after_a_month_and_a_sandboxs_work_asks_nobody(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    done: list[object] = []
    monkeypatch.setattr(work, "do_pieces", lambda pieces: done.extend(piece() for piece in pieces) or True)
    own, _ = trainee(group_for("shared"), "one")
    services.begin(own, "shared")
    services.begin(own, "withdrawal")
    assert work.tick()
    assert done == [0] * 5
    outbox = Path(settings.OUTSIDE.outbox)
    outbox.mkdir()
    (outbox / "new.log").write_text("new")
    (outbox / "old.log").write_text("old")
    long_ago = (timezone.now() - services.KEPT_FOR).timestamp() - 60
    os.utime(outbox / "old.log", (long_ago, long_ago))
    Group.objects.update(made_at=timezone.now() - services.KEPT_FOR - datetime.timedelta(minutes=1))
    work.tick()
    assert done[5:7] == [1, 1]
    assert {item.state for item in CaseItem.objects.all()} == {CaseItem.State.WITHDRAWN}
    assert [file.name for file in outbox.iterdir()] == ["new.log"]
    assert (Group.objects.count(), Trainee.objects.count(), CaseFile.objects.count()) == (0, 0, 0)


def test_a_group_reads_its_own_language_and_english_where_a_file_has_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (queries, services):
        monkeypatch.setattr(module, "own_scenarios", lambda: tmp_path / "scenarios")
    own = english_texts(tmp_path / "scenarios" / "de")
    file = own / "shared.toml"
    file.write_text(file.read_text().replace('title = "It is online, and comes back"', 'title = "Es steht im Netz"'))
    (own / "deepfake.toml").write_text("title = ")
    _, client = trainee(new_group("Montag", "practitioners", "de"), "eins")
    page = client.get("/training/").content.decode()
    assert "Es steht im Netz" in page
    assert "Made with AI, and still her" in page


def test_every_law_that_a_scenario_names_is_there() -> None:
    for scenario in scenarios.english().values():
        assert all(isinstance(law_by_key(key), Law) for key in scenario.laws), scenario.key


def test_a_facilitators_page_asks_the_database_as_often_for_many_as_for_one(facilitator: Client) -> None:
    group = group_for("malicious-submitter")
    page = f"/training/facilitator/groups/{group.pk}/"
    counts = []
    for nickname in ("one", "two", "three"):
        own, _ = trainee(group, nickname)
        services.decide(services.begin(own, "malicious-submitter"), 0, "look")
        with CaptureQueriesContext(connection) as asked:
            assert nickname in facilitator.get(page).content.decode()
        counts.append(len(asked))
    assert len(set(counts)) == 1
