"""The law in the site: the file comes in and overwrites nobody, operators write, others review, everybody reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from reclaim.bank.law import services
from reclaim.bank.law.clocks import Countries, Event, running
from reclaim.bank.law.convention import convention
from reclaim.bank.law.laws import FactsError, Law, facts_of, law_from, shipped_laws
from reclaim.bank.law.models import LawRow, LawVersion
from reclaim.bank.law.queries import access_law, history_of, law_by_key, laws_of, place_name, shown_laws
from reclaim.bank.law.services import NotNowError, edit_law, review_law, sync_shipped
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.roles import Role
from tests.members import OWN_PAGE, make_member, signed_in
from tests.unit.law.test_clocks import at

pytestmark = pytest.mark.django_db

KEY = "us-take-it-down"
HIDDEN = {law.key for law in shipped_laws() if not law.is_shown}
Counted = Callable[[int], Any]


def shipped(key: str = KEY) -> Law:
    """A row as it comes with Reclaim."""
    return next(law for law in shipped_laws() if law.key == key)


def form(law: Law, **changed: Any) -> dict[str, Any]:
    """What the page of a row sends."""
    facts: dict[str, Any] = facts_of(law) | changed
    lines = {name: "\n".join(facts[name]) for name in ("sources", "request") if name in facts}
    switches = {name: "on" for name in ("extendable", "reach_stated") if facts.pop(name, False)}
    return {"version": 1, "why": "I read it.", **facts, **lines, **switches}


def a_member(role: Role) -> Client:
    """A browser of a new member of the staff."""
    client = Client(headers=OWN_PAGE)
    signed_in(client, role)
    return client


# The file


def test_the_rows_are_there_once_and_nobody_has_reviewed_them() -> None:
    assert sync_shipped() == 0
    assert LawRow.objects.count() == LawVersion.objects.count() == len(shipped_laws())
    assert {law.key for law in shown_laws()} == {law.key for law in shipped_laws()} - HIDDEN
    assert not any(law.reviewed for law in shown_laws())


def test_a_newer_file_changes_what_nobody_wrote_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = make_member(Role.OPERATOR)
    edit_law(operator, KEY, 1, facts_of(shipped()) | {"note": "Mine."}, "I read it.")
    added = law_from("us-added", facts_of(shipped()))
    newer = [replace(law, note="Newer.") for law in shipped_laws() if law.key in (KEY, "ng-nitda-code")]
    monkeypatch.setattr(services, "shipped_laws", lambda: (*newer, added))
    assert sync_shipped() == 2
    assert sync_shipped() == 0
    notes = {law.key: law.note for law in shown_laws()}
    assert (notes[KEY], notes["ng-nitda-code"], notes["us-added"]) == ("Mine.", "Newer.", "")
    assert [version.number for version in LawVersion.objects.filter(key="ng-nitda-code").order_by("number")] == [1, 2]


# Operators and reviewers


def test_a_change_is_a_new_version_and_the_old_one_stays() -> None:
    operator = make_member(Role.OPERATOR)
    edit_law(operator, KEY, 1, facts_of(shipped()) | {"amount": 24, "note": "Read."}, "The act says so.")
    kept = access_law(operator, KEY)
    assert kept is not None
    latest, first = history_of(kept)
    assert (kept.law.amount, latest.version.written_by, latest.version.why) == (24, operator, "The act says so.")
    assert latest.changes == [("amount", "48", "24"), ("note", "", "Read.")]
    assert (first.version.facts, first.version.written_by) == (facts_of(shipped()), None)
    assert list(AuditEvent.objects.values_list("actor", "action", "target")) == [
        (operator.actor, "law.edit", f"law:{KEY}"),
        (operator.actor, "law.read", f"law:{KEY}"),
    ]


def test_two_who_change_the_same_row_do_not_overwrite_one_another() -> None:
    operator = make_member(Role.OPERATOR)
    edit_law(operator, KEY, 1, facts_of(shipped()) | {"note": "First."}, "I read it.")
    with pytest.raises(NotNowError, match="Read it again"):
        edit_law(operator, KEY, 1, facts_of(shipped()) | {"note": "Second."}, "I read it.")
    with pytest.raises(NotNowError, match="Nothing is different"):
        edit_law(operator, KEY, 2, facts_of(shipped()) | {"note": "First."}, "I read it.")


def test_somebody_else_than_the_last_writer_reviews_and_the_next_change_takes_the_mark_away() -> None:
    operator, overseer = make_member(Role.OPERATOR), make_member(Role.OVERSEER)
    edit_law(operator, KEY, 1, facts_of(shipped()) | {"note": "Read."}, "I read it.")
    with pytest.raises(NotNowError, match="Somebody else"):
        review_law(operator, KEY, 2, "I did.")
    with pytest.raises(FactsError):
        review_law(overseer, KEY, 2, " ")
    review_law(overseer, KEY, 2, "A lawyer, against the act.")
    with pytest.raises(NotNowError, match="already"):
        review_law(overseer, KEY, 2, "Again.")
    law = law_by_key(KEY)
    assert law is not None
    assert law.reviewed
    (clock,) = running(Countries("US"), {Event.REQUEST_RECEIVED: at("2026-11-20 12:00")})
    assert clock.reviewed
    with pytest.raises(NotNowError, match="Read it again"):
        review_law(overseer, KEY, 1, "A lawyer.")
    edit_law(overseer, KEY, 2, facts_of(law) | {"note": ""}, "It was wrong.")
    assert not any(law.reviewed for law in laws_of("US"))


def test_the_database_itself_refuses_a_review_of_one_s_own() -> None:
    operator = make_member(Role.OPERATOR)
    edit_law(operator, KEY, 1, facts_of(shipped()) | {"note": "Read."}, "I read it.")
    version = LawVersion.objects.get(key=KEY, number=2)
    with pytest.raises(IntegrityError), transaction.atomic():
        LawVersion.objects.filter(pk=version.pk).update(
            reviewed_by=operator, reviewed_at=version.written_at, review="I did."
        )


def test_an_unsourced_row_is_seen_by_operators_alone_until_one_names_a_source() -> None:
    key = "pk-peca-21"
    assert key in HIDDEN
    visitor, operator, overseer = Client(), a_member(Role.OPERATOR), a_member(Role.OVERSEER)
    assert "section 21" not in visitor.get("/law/PK/").content.decode()
    assert visitor.get(f"/law/source/{key}/1/").status_code == 404
    assert law_by_key(key) is None
    assert "no source" in operator.get(f"/staff/law/{key}/").content.decode()
    sent = {"version": 1, "review": "A lawyer."}
    assert overseer.post(f"/staff/law/{key}/review/", sent).status_code == 409
    confirmed = form(shipped(key), confidence="S", sources=["https://example.org/peca"])
    assert operator.post(f"/staff/law/{key}/edit/", confirmed).status_code == 302
    page = visitor.get("/law/PK/").content.decode()
    assert "section 21" in page
    assert "not reviewed by a lawyer yet" in page
    assert visitor.get(f"/law/source/{key}/1/")["Location"] == "https://example.org/peca"
    assert overseer.post(f"/staff/law/{key}/review/", {"version": 2, "review": "A lawyer."}).status_code == 302
    assert ">reviewed<" in visitor.get("/law/PK/").content.decode()


def test_an_operator_adds_a_row_on_the_site() -> None:
    operator = a_member(Role.OPERATOR)
    assert operator.get("/staff/law/add/").status_code == 200
    new = form(shipped(), place="CH", name="A new act") | {"key": "ch-new"}
    assert operator.post("/staff/law/add/", new).status_code == 302
    assert [law.name for law in laws_of("CH")] == ["A new act"]
    again = operator.post("/staff/law/add/", new)
    assert again.status_code == 422
    assert "there already" in again.content.decode()


def test_only_operators_write_and_overseers_review() -> None:
    overseer, watcher = a_member(Role.OVERSEER), a_member(Role.WATCHER)
    assert overseer.get("/staff/law/").status_code == 200
    assert overseer.get(f"/staff/law/{KEY}/edit/").status_code == 403
    assert overseer.post(f"/staff/law/{KEY}/edit/", form(shipped(), note="x")).status_code == 403
    assert overseer.post("/staff/law/add/", {}).status_code == 403
    for path in ("", f"{KEY}/", f"{KEY}/edit/", "add/"):
        assert watcher.get(f"/staff/law/{path}").status_code == 403


# What anybody sends


def test_what_cannot_be_taken_is_shown_again_with_a_sentence_and_nothing_is_saved() -> None:
    operator = a_member(Role.OPERATOR)
    wrong = form(shipped(), in_force_on="2026-02-30", sources=["javascript:alert(1)"], amount="x" * 5000, why="")
    answer = operator.post(f"/staff/law/{KEY}/edit/", wrong)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count('class="error"') == 4
    assert 'value="2026-02-30"' in page
    assert 'href="javascript' not in page
    assert LawVersion.objects.filter(key=KEY).count() == 1


def test_a_version_that_is_none_is_like_one_that_has_passed() -> None:
    operator = a_member(Role.OPERATOR)
    for version in ("", "0", "-1", "²", "9" * 400, "1; drop"):
        answer = operator.post(f"/staff/law/{KEY}/edit/", form(shipped(), note="x") | {"version": version})
        assert answer.status_code == 409, version
        answer = operator.post(f"/staff/law/{KEY}/review/", {"version": version, "review": "x"})
        assert answer.status_code == 409, version


def test_what_is_not_there_is_a_404() -> None:
    paths = ["XX", "us", "USA", "%00", "convention/17", "convention/99999999999999999999", "convention/source/0"]
    paths += [f"source/{KEY}/0", f"source/{KEY}/3", "source/%00/1", "source/none/1"]
    for path in paths:
        assert Client().get(f"/law/{path}/").status_code == 404, path
    operator = a_member(Role.OPERATOR)
    for key in ("none", "%00", "a" * 500):
        assert operator.get(f"/staff/law/{key}/").status_code == 404
        assert operator.post(f"/staff/law/{key}/edit/", form(shipped())).status_code == 404


# What everybody reads


def test_every_public_page_says_that_it_is_no_advice_and_names_source_and_date() -> None:
    visitor = Client(headers={"Accept-Language": "de"})
    for path in ("/law/", "/law/GB/", "/law/TV/", "/law/EU/", "/law/convention/", "/law/convention/16/"):
        answer = visitor.get(path)
        assert answer["Content-Language"] == "en"
        assert "This is not legal advice." in answer.content.decode(), path
    assert "26 November 2026" in visitor.get("/law/GB/").content.decode()
    assert "not checked against the official text" in visitor.get("/law/convention/34/").content.decode()


def test_the_map_and_the_table_name_the_same_places() -> None:
    page = Client().get("/law/").content.decode()
    tiles, table = page.partition('id="table"')[::2]
    for law in shown_laws():
        assert law.name.replace("'", "&#x27;") in table
        if law.country != "EU":
            assert f'href="/law/{law.country}/" aria-label="{place_name(law.country)}' in tiles
    assert 'aria-label="India: 2 hours"' in tiles
    assert 'aria-label="United Kingdom: laws, no deadline in force"' in tiles


def test_a_country_s_page_has_its_parts_and_the_union_that_it_is_in() -> None:
    assert [law.place for law in laws_of("GB")] == ["GB", "GB", "GB-SCT"]
    assert {law.place for law in laws_of("FR")} == {"FR", "EU"}
    assert {law.place for law in laws_of("IN")} == {"IN"}
    assert [laws_of(code) for code in ("TV", "", "G", "\x00", "XX")] == [[]] * 5
    assert law_by_key("\x00") is None


def test_who_has_signed_is_said_with_the_source_that_says_it() -> None:
    page = Client().get("/law/QA/").content.decode()
    assert "has ratified, as reported" in page
    assert "No source that we read says that United States has signed" in Client().get("/law/US/").content.decode()
    for number, source in enumerate(convention().sources, 1):
        assert Client().get(f"/law/convention/source/{number}/")["Location"] == source.address


def test_the_pages_ask_the_database_seldom(django_assert_num_queries: Counted) -> None:
    visitor = Client()
    for path, queries in {
        "/law/": 1,
        "/law/GB/": 1,
        "/law/FR/": 2,
        "/law/convention/": 0,
        "/law/convention/16/": 0,
        f"/law/source/{KEY}/1/": 1,
        "/law/convention/source/1/": 0,
    }.items():
        with django_assert_num_queries(queries):
            assert visitor.get(path).status_code in (200, 302), path
    operator = a_member(Role.OPERATOR)
    # Session and member, the audit event, and the rows; the session again, in a transaction of two more.
    for path, queries in {"/staff/law/": 7, f"/staff/law/{KEY}/": 8, f"/staff/law/{KEY}/edit/": 7}.items():
        operator.get(path)
        with django_assert_num_queries(queries):
            assert operator.get(path).status_code == 200, path
