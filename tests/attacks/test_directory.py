"""Attacks on whom people are told to turn to: a number or an address that is somebody else's."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from reclaim.bank.directory import services
from reclaim.bank.directory.imports import COLUMNS, exported, plan
from reclaim.bank.directory.models import Entry
from reclaim.bank.organisations.models import Organisation
from reclaim.sitekit import csvs
from reclaim.sitekit.permissions import Role
from tests.members import OWN_PAGE, practitioner, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

GOOD = {
    "country": "GB",
    "kind": "legal",
    "name": "Example Law Clinic",
    "address": "https://clinic.example.org/",
    "sources": "https://clinic.example.org/",
    "read_on": "2026-11-26",
    "confidence": "S",
}


def csv_of(*rows: dict[str, str]) -> bytes:
    return csvs.write(COLUMNS, [dict.fromkeys(COLUMNS, "") | row for row in rows])


def send(client: Client, data: bytes) -> tuple[int, str]:
    """What the import page says of a file."""
    form = {"file": SimpleUploadedFile("directory.csv", data)}
    answer = client.post("/staff/directory/import/", form, headers=OWN_PAGE)
    return answer.status_code, " ".join(answer.content.decode().split())


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (csv_of(GOOD, GOOD | {"address": "javascript:alert(1)"}), 200, "Row 3: This row has an address that is not"),
        (csv_of(GOOD, GOOD | {"name": "Police\u202e 911"}), 200, "Row 3: «name» holds characters that are not seen"),
        (csv_of(GOOD, GOOD), 200, "Row 3: There is such a row already"),
        (
            csv_of(GOOD, {**GOOD, "key": "gb-1000"}, {**GOOD, "key": "gb-1000"}),
            200,
            "key gb-1000 is in this file twice",
        ),
        (csv_of(GOOD, {**GOOD, "key": "gb-77"}), 200, "Row 3: There is no row with this key"),
        (
            csv_of(GOOD | {"name": "x"}).replace(b'"x"', b'"x\0"'),
            200,
            "Row 2: «name» holds a character that is no text",
        ),
        (csv_of(GOOD | {"name": "Ω"}).decode("utf-8-sig").encode("utf-16"), 422, "not in UTF-8"),
        (b"," * 200_000, 422, "more than 100,000 characters"),
        (b"key,country,kind\n" + b"x" * 300_000, 413, "at most 256 KiB"),
        (b"key,country,kind,<script>alert(1)</script>\n", 422, "&lt;script&gt;"),
        (b"", 422, "not empty"),
    ],
)
def test_a_file_that_misleads_changes_nothing_and_is_named_row_by_row(
    client: Client, data: bytes, status: int, said: str
) -> None:
    signed_in(client, Role.OPERATOR)
    services.add({**dict.fromkeys(COLUMNS, ""), **GOOD, "name": "There already"}, actor="operator", why="For the test")
    answer, html = send(client, data)
    assert answer == status
    assert said in html
    assert "Take it in" not in html
    assert list(Entry.objects.values_list("name", flat=True)) == ["There already"]


@pytest.mark.parametrize("asked", ["country=%00", "kind=%00", "country=G%00", "kind=nothing", "page=%00"])
def test_what_no_row_has_finds_nothing_and_stops_no_database(client: Client, asked: str) -> None:
    signed_in(client, Role.OPERATOR)
    answer = client.get(f"/staff/directory/?{asked}")
    assert answer.status_code == 200
    assert asked.startswith("page") or not answer.context["page"].object_list


def test_a_formula_leaves_as_text_and_comes_back_as_it_was() -> None:
    formula = '=HYPERLINK("https://evil.example","Call me")'
    services.add({**dict.fromkeys(COLUMNS, ""), **GOOD, "name": formula}, actor="operator", why="Hostile")
    out = exported("operator")
    assert b"\"'=HYPERLINK(" in out
    assert (plan(out).same, plan(out).changed) == (1, [])


def test_a_plan_that_was_not_shown_is_not_carried_out(client: Client) -> None:
    signed_in(client, Role.OPERATOR)
    form = {"data": csv_of(GOOD).decode(), "plan": "0" * 64, "why": "Skip the look"}
    assert client.post("/staff/directory/import/", form, headers=OWN_PAGE).status_code == 409
    hostile = {"data": csv_of(GOOD | {"address": "https://bit.ly/x"}).decode(), "plan": "0" * 64, "why": "Skip"}
    assert client.post("/staff/directory/import/", hostile, headers=OWN_PAGE).status_code == 422
    assert not Entry.objects.exists()


def test_nobody_but_an_operator_writes_and_only_with_a_factor_shown_just_now(client: Client) -> None:
    added = services.add({**dict.fromkeys(COLUMNS, ""), **GOOD}, actor="operator", why="For the test")
    helper = Organisation.objects.create(name="Helpers", country="GB", languages=["en"])
    practitioner(client, helper)
    overseer, watcher = Client(), Client()
    signed_in(overseer, Role.OVERSEER)
    signed_in(watcher, Role.WATCHER)
    for path in ("add/", "import/", "export/", f"{added.key}/", f"{added.key}/state/", f"{added.key}/files/"):
        for somebody in (client, overseer, watcher, Client()):
            answer = somebody.post(f"/staff/directory/{path}", {"state": "hidden", "why": "x"}, headers=OWN_PAGE)
            assert answer.status_code in (302, 403), path
            assert answer.status_code == 403 or "sign-in" in answer["Location"], path
    stale = Client()
    signed_in(stale, Role.OPERATOR, fresh=False)
    for path in ("import/", "export/"):
        assert "again" in stale.post(f"/staff/directory/{path}", {}, headers=OWN_PAGE)["Location"]
    added.refresh_from_db()
    assert (added.state, added.changes.count()) == ("shown", 1)
