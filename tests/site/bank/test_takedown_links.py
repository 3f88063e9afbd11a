"""Links: taken in, looked at, down, there again, and forgotten; each case file knows of its own alone."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.utils import timezone
from pytest_django import Settings

from reclaim.bank.takedown import looks
from reclaim.bank.takedown.checker import look
from reclaim.bank.takedown.links import NotALinkError, read_link, read_links
from reclaim.bank.takedown.models import Host, Link, Page
from reclaim.bank.takedown.queries import asked_for_already, links_at, visible_links
from reclaim.bank.takedown.reach import Reach
from reclaim.bank.takedown.services import (
    Draft,
    add_links,
    draft_request,
    forget_case_file,
    give_up,
    note_down,
    note_sent,
    take_up,
)
from reclaim.cli import bank_takedown
from reclaim.sitekit.models import AuditEvent
from tests import outside
from tests.outside import Site, a_case_file, helper

HOUR = datetime.timedelta(hours=1)


@pytest.fixture(scope="module")
def there() -> Iterator[Site]:
    with outside.site() as made:
        yield made


def recheck(there: Site) -> looks.Report:
    """Look at all that is due, in this thread."""
    return looks.recheck(workers=1, made_policy=there.policy, pause=0)


def later(**how: float) -> None:
    """So much time goes by for all links and pages."""
    by = datetime.timedelta(**how)
    for link in Link.objects.all():
        Link.objects.filter(pk=link.pk).update(found_on=link.found_on - by)
    for page in Page.objects.all():
        moved = {name: at - by for name in ("gone_since", "checked_at", "next_check_at") if (at := getattr(page, name))}
        Page.objects.filter(pk=page.pk).update(**moved)
    Host.objects.exclude(due_at=None).update(due_at=timezone.now() - by, free_at=timezone.now() - by)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("HTTPS://Exämple.COM:443/a?x=1#here", "https://xn--exmple-cua.com/a?x=1"),
        ("example.com/a", "https://example.com/a"),
        ("http://example.com:8080", "http://example.com:8080/"),
        ("https://例え.jp/絵", "https://xn--r8jz45g.jp/%E7%B5%B5"),
        ("https://a_b.example/x y".replace(" ", "%20"), "https://a_b.example/x%20y"),
    ],
)
def test_a_link_has_one_form(typed: str, kept: str) -> None:
    assert read_link(typed).url == kept


def test_a_link_is_the_same_page_with_other_tracking_and_another_scheme() -> None:
    link = read_link("https://example.com/a/?v=1&utm_source=x&fbclid=y")
    assert link.key == read_link("http://example.com/a?v=1").key != read_link("http://example.com/a?v=2").key
    assert (link.url, link.looked_at) == (
        "https://example.com/a/?v=1&utm_source=x&fbclid=y",
        "https://example.com/a/?v=1",
    )


@pytest.mark.parametrize(
    "typed",
    [
        "javascript:alert(1)", "file:///etc/passwd", "ftp://a.example/", "http://user@a.example/", "http://localhost/",
        "http://2130706433/", "http://0177.0.0.1/", "http://[fe80::1%25eth0]/", "https://a.example\\@b.example/",
        "http://a..b/", "https://a.example/" + "x" * 2000, "http://a.example:99999/", "",
    ],
)  # fmt: skip
def test_what_is_no_link_says_why(typed: str) -> None:
    with pytest.raises(NotALinkError, match=r"[A-Z].+\."):
        read_link(typed)


def test_a_pasted_text_gives_each_page_once_and_names_the_words_that_are_none() -> None:
    found, wrong = read_links("https://a.example/1, nonsense\nhttps://a.example/1?utm_source=x <https://b.example/>")
    assert [link.url for link in found] == ["https://a.example/1", "https://b.example/"]
    assert [number for number, _ in wrong] == [2]
    with pytest.raises(NotALinkError, match="more than 200"):
        read_links("https://a.example/ " * 201)


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        (outside.Page(), "up"),
        (outside.Page(404), "gone"),
        (outside.Page(410), "gone"),
        (outside.Page(451), "gone"),
        (outside.Page(401), "walled"),
        (outside.Page(403), "refused"),
        (outside.Page(429), "refused"),
        (outside.Page(503), "failed"),
        (outside.Page(body="<TITLE>Vidéo</TITLE><h1 class=x>Cette vidéo a été supprimée</h1>".encode()), "gone"),
        (outside.Page(body=b"<title>Example - Log in</title>"), "walled"),
        (outside.Page(body=b"<title>Logging intentionally removed pixels: a talk</title>"), "up"),
        (outside.Page(302, headers={"Location": "/accounts/login/?next=1"}), "walled"),
        (outside.Page(302, headers={"Location": "/removed.png"}), "gone"),
        (outside.Page(302, headers={"Location": "/"}), "walled"),
    ],
)
def test_a_look_tells_what_is_there_from_what_is_gone(there: Site, page: outside.Page, outcome: str) -> None:
    there.pages = {
        "/one/page": page,
        "/": outside.Page(),
        "/removed.png": outside.Page(media_type="image/png"),
        "/accounts/login/?next=1": outside.Page(),
    }
    with Reach(there.policy()) as reach:
        assert look(there.url("/one/page"), reach).outcome == outcome


def test_no_byte_of_a_picture_is_asked_for(there: Site) -> None:
    there.pages = {"/a.jpg": outside.Page(media_type="image/jpeg", body=b"x" * 5000)}
    there.asked.clear()
    with Reach(there.policy(agent="Reclaim (complaints: x@ngo.example)")) as reach:
        assert look(there.url("/a.jpg"), reach).outcome == "up"
    [(method, _, headers)] = there.asked
    assert method == "HEAD"
    assert headers["user-agent"].endswith("(complaints: x@ngo.example)")
    assert "referer" not in headers


def test_a_picture_is_not_gone_because_a_site_answers_no_question_for_headers(there: Site) -> None:
    def only_whole(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(404 if handler.command == "HEAD" else 206)
        handler.send_header("Content-Type", "image/jpeg")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    there.pages = {"/a.jpg": outside.Page(sends=only_whole)}
    with Reach(there.policy()) as reach:
        assert look(there.url("/a.jpg"), reach).outcome == "up"
        assert look(there.url("/b.jpg"), reach).outcome == "gone"


@pytest.mark.django_db
def test_a_link_is_down_after_two_looks_apart_and_is_reopened_when_it_is_there_again(there: Site) -> None:
    someone = helper()
    case_file = a_case_file(someone)
    there.pages = {"/p": outside.Page()}
    [link] = add_links(case_file, someone, there.url("/p")).links
    assert recheck(there).outcomes == {"up": 1}
    link.refresh_from_db()
    assert (link.state, link.outcome) == ("up", "up")
    request = draft_request(link, someone, Draft("form", "https://pictures.example/report", "A", "B"))  # type: ignore[arg-type]
    note_sent(request, someone)

    there.pages = {}
    recheck(there)
    link.refresh_from_db()
    assert link.state == "asked"
    assert recheck(there).looks == 0
    later(hours=3)
    recheck(there)
    link.refresh_from_db()
    assert (link.state, link.first_down_on is not None) == ("down", True)
    request.refresh_from_db()
    assert (request.state, request.remind_at) == ("done", None)

    there.pages = {"/p": outside.Page()}
    later(days=2)
    recheck(there)
    link.refresh_from_db()
    assert (link.state, link.relists) == ("relisted", 1)
    kinds = list(case_file.events.order_by("pk").values_list("kind", flat=True))
    assert [kind for kind in kinds if "link" in kind] == ["links.added", "link.down", "link.relisted"]


@pytest.mark.django_db
def test_one_page_is_looked_at_once_for_all_and_neither_case_file_learns_of_the_other(there: Site) -> None:
    one, other = helper("One"), helper("Other")
    there.pages = {}
    [first] = add_links(a_case_file(one), one, there.url("/p?utm_source=one")).links
    recheck(there)
    later(hours=2)
    recheck(there)
    first.refresh_from_db()
    assert first.state == "down"
    there.asked.clear()
    [second] = add_links(a_case_file(other), other, there.url("/p")).links
    second = visible_links(other).get(pk=second.pk)
    # As with a page that nobody had: no look before its own, no state of another's, no parameters of another's.
    assert (second.state, second.checked_at, second.outcome, second.url) == ("new", None, "", there.url("/p"))
    recheck(there)
    second.refresh_from_db()
    assert (there.paths(), second.state) == (["/p"], "new")
    later(hours=2)
    recheck(there)
    second.refresh_from_db()
    assert second.state == "down"
    assert not links_at(one, there.url("/p")).exclude(pk=first.pk)


@pytest.mark.django_db
def test_that_a_page_is_asked_for_already_is_told_within_an_organisation_alone() -> None:
    one, colleague, other = helper("One"), helper("One"), helper("Other")
    [mine] = add_links(a_case_file(one), one, "https://a.example/1").links
    [theirs] = add_links(a_case_file(other), other, "https://a.example/1").links
    note_sent(draft_request(mine, one, Draft("form", "https://a.example/report", "A", "B")), one)  # type: ignore[arg-type]
    [again] = add_links(a_case_file(colleague), colleague, "https://a.example/1").links
    assert asked_for_already(colleague, [again]) == {again.pk}
    assert asked_for_already(other, [theirs]) == set()
    assert asked_for_already(one, [mine]) == set()


@pytest.mark.django_db
def test_a_link_that_comes_again_is_known_and_one_given_up_is_looked_at_no_more(there: Site) -> None:
    someone = helper()
    case_file = a_case_file(someone)
    [link] = add_links(case_file, someone, there.url("/p")).links
    added = add_links(case_file, someone, there.url("/p#again") + " " + there.url("/q"))
    assert ([each.pk for each in added.known], len(added.links)) == ([link.pk], 1)
    give_up(link, someone)
    assert Page.objects.get(links=link).next_check_at is None
    take_up(link, someone)
    link.refresh_from_db()
    assert (link.state, Page.objects.get(links=link).next_check_at is not None) == ("new", True)
    note_down(link, someone)
    there.pages = {"/p": outside.Page(), "/q": outside.Page()}
    recheck(there)
    link.refresh_from_db()
    # What a practitioner saw behind a sign-in outweighs that there is a page.
    assert link.state == "down"


@pytest.mark.django_db
def test_a_host_is_asked_one_at_a_time_with_a_pause_and_left_alone_when_it_says_so(there: Site) -> None:
    someone = helper()
    add_links(a_case_file(someone), someone, f"{there.url('/1')} {there.url('/2')}")
    [turn] = looks.take_turns(5)
    assert looks.take_turns(5) == []
    looks.give_back(turn, [], 3600)
    assert looks.take_turns(5) == []
    Host.objects.update(free_at=timezone.now())
    there.pages = {path: outside.Page(429, headers={"Retry-After": "7200"}) for path in ("/1", "/2")}
    assert recheck(there).outcomes == {"refused": 1}
    assert Host.objects.get().free_at > timezone.now() + 1.9 * HOUR
    later(hours=3)
    Host.objects.update(free_at=timezone.now() - looks.LEASE - HOUR)
    assert recheck(there).looks == 1


@pytest.mark.parametrize(
    ("outcome", "looks_so_far", "hours"),
    [
        ("up", 1, 2),
        ("up", 7, 24),
        ("up", 400, 24),
        ("gone", 1, 1),
        ("gone", 9, 24),
        ("gone", 31, 168),
        ("walled", 7, 168),
    ],
)
def test_intervals_grow_and_what_is_there_is_looked_at_daily(outcome: Any, looks_so_far: int, hours: int) -> None:
    assert looks.next_look(Page.Outcome(outcome), looks_so_far) == hours * HOUR


@pytest.mark.django_db
def test_erasing_a_case_file_leaves_only_pages_that_others_point_at() -> None:
    one, other = helper("One"), helper("Other")
    mine, theirs = a_case_file(one), a_case_file(other)
    [link, _] = add_links(mine, one, "https://a.example/1 https://a.example/2").links
    add_links(theirs, other, "https://a.example/1")
    draft_request(link, one, Draft("mail", "abuse@a.example", "A", "B"))  # type: ignore[arg-type]
    assert forget_case_file(mine.pk) == 2
    assert (Page.objects.count(), Link.objects.count()) == (1, 1)
    assert not AuditEvent.objects.filter(target=f"link:{link.pk}").exists()


@pytest.mark.django_db
def test_adding_many_links_costs_as_many_statements_as_adding_one(django_assert_max_num_queries: Any) -> None:
    someone = helper()
    case_file = a_case_file(someone)
    with django_assert_max_num_queries(18):
        add_links(case_file, someone, " ".join(f"https://h{number}.example/p" for number in range(150)))
    assert Link.objects.count() == 150
    assert b"h1.example" not in bytes(Link.objects.first().sealed_url.encode())  # type: ignore[union-attr]


@pytest.mark.django_db
def test_the_commands_look_at_what_is_due_and_take_a_reply_in(
    there: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bank_takedown, "open_site_or_fail", lambda *_, **__: None)
    settings.OUTSIDE = replace(settings.OUTSIDE, stand_in=there.place, pause=0)
    there.pages = {"/p": outside.Page()}
    someone = helper()
    add_links(a_case_file(someone), someone, "https://pictures.example/p https://pictures.example/gone")
    where = ["--data", str(tmp_path)]
    run = CliRunner().invoke(bank_takedown.recheck, ["--workers", "1", "--json", *where])
    assert json.loads(run.stdout) == {"looks": 2, "outcomes": {"up": 1, "gone": 1}, "due": 0}
    agent = there.asked[-1][2]["user-agent"]
    assert agent.startswith("Reclaim/")
    assert agent.endswith("is what was reported still there)")
    assert "Looked at: 0. Still due: 0." in CliRunner().invoke(bank_takedown.recheck, where).stdout
    taken = CliRunner().invoke(bank_takedown.mail, ["take", *where], input=b"Subject: Hello\r\n\r\nWorld")
    assert taken.stdout == "Filed: kept for a supervisor.\n"
    without = CliRunner().invoke(bank_takedown.mail, ["fetch", *where])
    assert without.exit_code == 1
    assert "RECLAIM_IMAP_URL" in without.stderr
