"""The support directory in the database: what is shown, who keeps it, and how seldom a page asks for it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from click.testing import CliRunner, Result
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from reclaim.bank.directory import queries, services
from reclaim.bank.directory.imports import COLUMNS, exported, plan
from reclaim.bank.directory.models import Change, Entry, Standing
from reclaim.bank.directory.queries import service_called, services_for, services_in
from reclaim.bank.directory.rows import FRESH, ROWS, SERVICES, SHOWN, Confidence, For, Kind
from reclaim.bank.directory.services import NotAllowedNowError
from reclaim.bank.directory.texts import FactsError, row_of, texts_of
from reclaim.bank.organisations.models import Organisation
from reclaim.cli.bank_directory import directory
from reclaim.cli.exits import Exit
from reclaim.sitekit import csvs
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.permissions import Role
from tests.members import OWN_PAGE, practitioner, signed_in

# Each with three for the session's new hour, and those of staff with one for the audit trail.
SEARCH_QUERIES, LIST_QUERIES, ROW_QUERIES = 6, 9, 9

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

CLINIC = {
    "country": "GB",
    "kind": "legal",
    "audience": "adults",
    "name": "Example Law Clinic",
    "phone": "+44 20 7946 0000",
    "text": "",
    "word": "",
    "address": "https://clinic.example.org/help",
    "hours": "weekdays",
    "open": "10:00-16:00",
    "languages": "en cy",
    "free": "yes",
    "sources": "https://clinic.example.org/",
    "read_on": "2026-11-26",
    "confidence": "S",
}


@pytest.fixture
def live(settings: Settings) -> Iterator[None]:
    """Every read asks whether something changed; afterwards this process holds the data files again."""
    settings.DIRECTORY_AGE = -1
    yield
    queries._Memory.held = queries._OF_FILES
    queries.forget_held()


@pytest.fixture
def seeded(live: None) -> None:
    services.sync()


def entry(key: str = "gb-1") -> Entry:
    return Entry.objects.get(key=key)


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == status
    return answer.content.decode()


def post(client: Client, path: str, data: dict[str, Any], status: int = 302) -> str:
    answer = client.post(path, data, headers=OWN_PAGE)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def test_the_database_starts_from_the_files_and_says_the_same(seeded: None) -> None:
    assert Entry.objects.count() == len(ROWS)
    assert {each.service for each in Entry.objects.all()} == set(ROWS)
    assert set(queries.held().rows) == set(SHOWN)
    assert services.sync() == 0


def test_an_empty_table_and_a_database_that_fails_leave_what_the_files_say(
    live: None, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert queries.held().rows == SHOWN
    with mock.patch.object(queries, "version_now", side_effect=DatabaseError):
        assert client.get("/help/now/").status_code == 200
        assert client.get(f"/go/{SERVICES[0].slug}/")["Location"] == SERVICES[0].address
    assert "what was read before goes on" in caplog.text


def test_what_an_operator_writes_is_shown_to_a_person_and_no_new_version_takes_it_back(
    seeded: None, client: Client
) -> None:
    services.edit(entry(), texts_of(entry()) | {"phone": "0345 111 2222"}, actor="member:1", why="They have moved")
    assert "0345 111 2222" in page(client, "/help/a/")
    services.set_state(entry("us-1"), Entry.State.HIDDEN, actor="member:1", why="It has closed")
    assert service_called("us-1") is None
    Entry.objects.filter(key="au-1").update(name="As an older version had it")
    Entry.objects.create(**{**vars_of("nz-1"), "key": "nz-999", "name": "No longer in the files"})
    Standing.objects.update(files="of an older version")
    assert services.sync() == 2
    assert entry().phone == "0345 111 2222"
    assert entry("us-1").state == Entry.State.HIDDEN
    assert entry("au-1").name == "eSafety Commissioner"
    assert entry("nz-999").state == Entry.State.HIDDEN
    assert Change.objects.get(entry=entry("au-1")).facts == {
        "name": ["As an older version had it", "eSafety Commissioner"]
    }
    services.take_from_files(entry(), actor="member:1")
    assert entry().phone == "0345 6000 459"
    assert not entry().edited


def vars_of(key: str) -> dict[str, Any]:
    return {field.name: getattr(entry(key), field.name) for field in Entry._meta.fields if field.name != "id"}


def test_a_check_outlives_a_version_that_says_the_same_words(seeded: None) -> None:
    Entry.objects.update(read_on=datetime.date(2025, 1, 1))
    services.check(entry(), actor="member:2", source="https://helper.example/now", confidence="P")
    assert entry().sources[0] == "https://helper.example/now"
    assert entry().read_on == timezone.now().date()
    Entry.objects.filter(key="gb-1").update(read_on=datetime.date(2027, 1, 1))
    Standing.objects.update(files="of an older version")
    services.sync()
    assert entry().sources[0] == "https://helper.example/now"
    assert entry("us-1").read_on == datetime.date(2026, 11, 26)


def test_a_change_reaches_a_process_that_asks_at_most_twice_a_minute(
    seeded: None, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    from reclaim.bank.settings import DIRECTORY_AGE

    assert DIRECTORY_AGE <= 30
    services_for(For.ADULTS)
    with django_assert_num_queries(1):
        services_for(For.ADULTS)
    settings.DIRECTORY_AGE = 30
    with django_assert_num_queries(0):
        services_for(For.ADULTS)
    services.set_state(entry(), Entry.State.HIDDEN, actor="member:1", why="Closed")
    # As by another process: nothing told this one.
    assert service_called("gb-1") is not None
    with mock.patch("time.monotonic", return_value=queries._Memory.asked_at + 31):
        assert service_called("gb-1") is None


def test_a_row_is_added_once_with_a_number_that_no_file_will_have(seeded: None) -> None:
    added = services.add(CLINIC, actor="member:1", why="A practitioner asked")
    assert (added.key, added.open, added.languages, added.free) == ("gb-1000", "10:00–16:00", ["en", "cy"], True)
    assert services.add(CLINIC | {"name": "Another"}, actor="member:1", why="Too").key == "gb-1001"
    with pytest.raises(FactsError, match="such a row already"):
        services.add(CLINIC | {"name": "example LAW clinic"}, actor="member:1", why="Again")
    number = dict.fromkeys(CLINIC, "") | {"country": "GB", "kind": "emergency", "phone": "999", "read_on": "2026-11-26"}
    with pytest.raises(FactsError, match="such a row already"):
        services.add(number | {"sources": "https://gov.example/", "confidence": "S"}, actor="member:1", why="Twice")
    with pytest.raises(FactsError, match="country of a row stays"):
        services.edit(added, CLINIC | {"country": "FR"}, actor="member:1", why="Moved")
    with pytest.raises(FactsError, match="why"):
        services.edit(added, CLINIC, actor="member:1", why=" ")
    assert AuditEvent.objects.filter(action="directory.add", target="directory:gb-1000").count() == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"address": "javascript:alert(1)"}, "not https"),
        ({"address": "https://good.example@evil.example/"}, "not https"),
        ({"address": "https://127.0.0.1/"}, "not https"),
        ({"address": "https://good.example:8443/"}, "not https"),
        ({"address": "https://[::1"}, "not https"),
        ({"address": "https://bit.ly/3xyz"}, "shortened"),
        ({"sources": "data:text/html,x"}, "no source that is an address"),
        ({"name": "Help\u202egnp.exe"}, "turn the text around"),
        ({"name": "a\u200bb"}, "not seen"),
        ({"name": "x" * 121}, "more than 120"),
        ({"kind": "spell"}, "«kind» is one of: emergency"),
        ({"hours": "often"}, "«hours» is one of"),
        ({"read_on": "yesterday"}, "a day such as"),
        ({"read_on": "2999-01-01"}, "in the future"),
        ({"country": "ZZ"}, "in no country"),
        ({"free": "maybe"}, "«free» is"),
        ({"languages": "english"}, "has no code"),
    ],
)
def test_a_row_that_would_mislead_is_refused_in_a_sentence(change: dict[str, str], said: str) -> None:
    with pytest.raises(FactsError, match=said):
        services.add(CLINIC | change, actor="member:1", why="Try")
    assert not Entry.objects.exists()


def test_nobody_checks_a_row_of_their_own(seeded: None) -> None:
    added = services.add(CLINIC, actor="member:1", why="New")
    for actor, error in (("member:1", NotAllowedNowError), ("member:2", None)):
        if error:
            with pytest.raises(error, match="somebody else"):
                services.check(added, actor=actor, source="https://clinic.example.org/", confidence="S")
        else:
            services.check(added, actor=actor, source="https://clinic.example.org/", confidence="S")
    with pytest.raises(FactsError):
        services.check(added, actor="member:2", source="from memory", confidence="M")
    assert entry("gb-1000").changes.get(what="checked").by == "member:2"


def test_an_export_comes_back_and_changes_nothing(seeded: None) -> None:
    services.add(CLINIC, actor="member:1", why="New")
    made = plan(exported("operator"))
    assert (made.new, made.changed, made.refused, made.same) == ([], [], [], Entry.objects.count())
    assert AuditEvent.objects.filter(action="directory.export", actor="operator").exists()


def test_practitioners_find_every_kind_and_people_only_what_is_translated(seeded: None, client: Client) -> None:
    services.add(CLINIC, actor="member:1", why="New")
    assert "Example Law Clinic" not in page(client, "/help/a/")
    found = services_in("GB", "cy", [Kind.LEGAL], For.ADULTS)
    assert [row.name for row in found] == ["Example Law Clinic"]
    assert services_in("GB", "cy", [Kind.LEGAL], For.UNDER_18) == []
    there = services_in("GB")
    assert {row.country for row in there} == {"GB", ""}
    assert there[0].country == "GB"
    assert there[-1].country == ""


def test_the_practitioners_page_searches_and_marks_what_is_stale_or_unverified(
    seeded: None, client: Client, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    practitioner(client, Organisation.objects.create(name="Helpers", country="GB", languages=["en"]))
    services.add(CLINIC | {"confidence": "P"}, actor="member:1", why="New")
    Entry.objects.filter(key="gb-1000").update(read_on=timezone.now().date() - FRESH - datetime.timedelta(days=1))
    services.moved()
    html = page(client, "/helpline/directory/?country=GB&kind=legal&age=adult&language=cy")
    assert "Example Law Clinic" in html
    assert "Not verified" in html
    assert "Not checked for a year" in html
    settings.DIRECTORY_AGE = 30
    with django_assert_num_queries(SEARCH_QUERIES):
        page(client, "/helpline/directory/")
    assert "does not know this country" in page(client, "/helpline/directory/?country=%3Cscript%3E", 422)
    assert "no such row" in page(client, "/helpline/directory/?country=GB&language=ko&kind=legal")
    page(client, "/helpline/directory/?page=9999999999999999999999")


def test_pages_of_staff_list_add_change_hide_and_check(
    seeded: None, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    operator = signed_in(client, Role.OPERATOR)
    assert "Add a row" in page(client, "/staff/directory/")
    with django_assert_num_queries(LIST_QUERIES):
        page(client, "/staff/directory/?country=GB")
    assert "Nothing was saved" in post(client, "/staff/directory/add/", CLINIC | {"phone": "?", "why": "x"}, 422)
    post(client, "/staff/directory/add/", CLINIC | {"why": "A practitioner asked"})
    with django_assert_num_queries(ROW_QUERIES):
        html = page(client, "/staff/directory/gb-1000/")
    assert "You wrote this row" in html
    post(client, "/staff/directory/gb-1000/check/", {"source": "https://a.example.org/", "confidence": "S"}, 409)
    post(client, "/staff/directory/gb-1000/", CLINIC | {"phone": "0800 111", "why": "Moved"})
    post(client, "/staff/directory/gb-1000/state/", {"state": "hidden", "why": "Closed"})
    post(client, "/staff/directory/gb-1000/state/", {"state": "gone", "why": "Closed"}, 422)
    html = page(client, "/staff/directory/gb-1000/")
    assert "phone: +44 20 7946 0000 → 0800 111" in html
    assert "Closed" in html
    assert "Example Law Clinic" in page(client, "/staff/directory/?only=hidden")
    assert page(client, "/staff/directory/gb-77777/", 404)
    assert {each.by for each in entry("gb-1000").changes.all()} == {operator.actor}
    overseer = Client()
    signed_in(overseer, Role.OVERSEER)
    assert "Add a row" not in page(overseer, "/staff/directory/")
    post(overseer, "/staff/directory/gb-1000/", CLINIC | {"why": "Mine"}, 403)
    post(overseer, "/staff/directory/gb-1000/check/", {"source": "https://clinic.example.org/", "confidence": "S"})
    assert entry("gb-1000").read_on == timezone.now().date()
    post(client, "/staff/directory/gb-1/", texts_of(entry()) | {"phone": "0800 222", "why": "New number"})
    assert "The data files say otherwise" in page(client, "/staff/directory/gb-1/")
    post(client, "/staff/directory/gb-1/files/", {})
    assert entry().phone == "0345 6000 459"


def csv_of(*rows: dict[str, str]) -> SimpleUploadedFile:
    return SimpleUploadedFile("d.csv", csvs.write(COLUMNS, [dict.fromkeys(COLUMNS, "") | row for row in rows]))


def test_an_import_says_first_what_it_would_change_and_then_does_that_and_nothing_else(
    seeded: None, client: Client
) -> None:
    signed_in(client, Role.OPERATOR)
    texts = {"key": "gb-1", **texts_of(entry()), "phone": "0345 999", "state": "shown"}
    html = post(client, "/staff/directory/import/", {"file": csv_of(CLINIC, texts)}, 200)
    assert "phone: 0345 6000 459 → 0345 999" in html
    assert "Row 2: United Kingdom, Legal advice: Example Law Clinic" in html
    assert not Entry.objects.filter(key="gb-1000").exists()
    sent = {"data": csv_of(CLINIC, texts).read().decode(), "plan": html.split('name="plan" value="')[1][:64]}
    assert "why" in post(client, "/staff/directory/import/", sent | {"why": ""}, 422)
    changed = sent | {"data": csv_of(CLINIC, texts | {"phone": "0345 666"}).read().decode(), "why": "x"}
    assert "changed the directory meanwhile" in post(client, "/staff/directory/import/", changed, 409)
    assert entry().phone == "0345 6000 459"
    post(client, "/staff/directory/import/", sent | {"why": "From our partner"})
    assert entry().phone == "0345 999"
    assert entry("gb-1000").name == "Example Law Clinic"
    assert entry().changes.get().why == "From our partner"
    answer = client.post("/staff/directory/export/", headers=OWN_PAGE)
    assert plan(answer.content).same == Entry.objects.count()
    stale = Client()
    signed_in(stale, Role.OPERATOR, fresh=False, name="who has not shown a factor")
    assert stale.post("/staff/directory/export/", headers=OWN_PAGE).status_code == 302


def test_the_command_line_exports_imports_and_names_what_is_stale(
    live: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RECLAIM_DATA", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.setenv(name, "")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(directory, [*arguments, "--data", str(tmp_path)])

    file = tmp_path / "directory.csv"
    assert run("export", str(file)).stderr == ""
    assert run("import", str(file)).stdout == f"New 0, changed 0, the same {len(ROWS)}, refused 0.\n"
    file.write_bytes(csv_of(CLINIC).read())
    assert "Row 2: new: GB legal Example Law Clinic" in run("import", str(file)).stdout
    assert not Entry.objects.filter(key="gb-1000").exists()
    assert run("import", str(file), "--apply").exit_code == Exit.ERROR
    assert run("import", str(file), "--apply", "--why", "From a partner").exit_code == 0
    assert entry("gb-1000").changes.get().by == "operator"
    again = run("import", str(file), "--apply", "--why", "Twice")
    assert (again.exit_code, "Row 2: There is such a row already" in again.stderr) == (Exit.ERROR, True)
    Entry.objects.filter(key="gb-1000").update(read_on=datetime.date(2025, 1, 1))
    assert "gb-1000: Example Law Clinic, checked 2025-01-01" in run("stale").stdout
    assert run("export", str(tmp_path / "no" / "folder.csv")).stderr.startswith("The file cannot be written")


def test_text_and_rows_are_the_same_thing() -> None:
    for row in ROWS:
        assert row_of(texts_of(row), row.slug) == row
    assert {row.confidence for row in SHOWN} <= {Confidence.STATED, Confidence.PARTLY}
