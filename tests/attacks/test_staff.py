"""Attacks on the accounts of staff."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django import Settings

from reclaim.sitekit.accounts import services
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.queries import SIGNED_IN_AT
from reclaim.sitekit.accounts.sessions import STAFF
from reclaim.sitekit.accounts.views import FACTOR_DAY, FACTOR_SOON, PER_NETWORK_AND_NAME
from reclaim.sitekit.models import Attempt, AuditEvent
from reclaim.sitekit.permissions import FACTOR_AT, Role
from tests.members import OWN_PAGE, PASSWORD, app_secret, code_of, make_member, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_a_platform() -> Iterator[None]:
    with override_settings(ROOT_URLCONF="reclaim.platform.urls"):
        yield


def password_of(member: Member, password: str = PASSWORD, client: Client | None = None) -> Client:
    """A browser in which the password was typed."""
    client = client or Client()
    client.post("/sign-in/", {"name": member.name, "password": password}, headers=OWN_PAGE)
    return client


def show(client: Client, code: str, path: str = "/sign-in/second-factor/", **more: str) -> HttpResponse:
    return client.post(path, {"code": code, **more}, headers=OWN_PAGE)  # type: ignore[return-value]


def is_in(client: Client) -> bool:
    return client.get("/", headers=OWN_PAGE).status_code == 200


def events(action: str) -> int:
    return AuditEvent.objects.filter(action=action).count()


def test_the_password_alone_opens_no_page() -> None:
    client = password_of(make_member(Role.ADMIN))
    for path in ("/", "/account/", "/account/password/", "/again/", "/sign-in/set-up/"):
        assert "sign-in" in client.get(path, headers=OWN_PAGE)["Location"], path
    assert show(client, "000000").status_code == 403
    assert not is_in(client)
    assert events("factor.refused") == 1


def test_the_second_factor_alone_opens_no_page() -> None:
    member = make_member(Role.ADMIN)
    client = Client()
    assert show(client, code_of(app_secret(member)))["Location"] == "/sign-in/"
    assert not is_in(client)


def test_a_session_that_never_showed_a_second_factor_is_no_session() -> None:
    client = Client()
    client.force_login(make_member(Role.ADMIN))
    assert not is_in(client)


def test_a_code_that_was_used_cannot_be_used_again_by_whoever_saw_it() -> None:
    member = make_member(Role.REVIEWER)
    code = code_of(app_secret(member))
    first, second = password_of(member), password_of(member)
    assert show(first, code).status_code == 302
    # Another process knows nothing of what the library noted in this one.
    cache.clear()
    for again in (code, f"{code[:3]} {code[3:]}", f"{code}.", f"{code[:3]},-_{code[3:]}"):
        assert show(second, again).status_code == 403, again
    assert not is_in(second)
    Attempt.objects.all().delete()
    assert show(second, code_of(app_secret(member), later=1)).status_code == 302


def test_a_recovery_code_opens_once_only() -> None:
    member = make_member(Role.REVIEWER)
    code = services.show_recovery_codes(member)[0]
    first, second = password_of(member), password_of(member)
    assert show(first, f"{code[:5]} {code[5:]}").status_code == 302
    assert is_in(first)
    assert show(second, code).status_code == 403
    assert services.show_recovery_codes(member) == [], "they are shown once only"


@pytest.mark.parametrize(
    "path", ["/account/password/", "/account/app/", "/account/key/", "/account/remove/", "/account/recovery-codes/"]
)
def test_a_stolen_session_changes_nothing_of_the_account(path: str) -> None:
    client = Client()
    member = signed_in(client, Role.ADMIN, fresh=False)
    before = (member.password, list(Authenticator.objects.values_list("pk", "data")))
    stolen = {"password": "an oak, a kettle", "again": "an oak, a kettle", "code": "000000", "credential": "{}"}
    for answer in (client.post(path, stolen, headers=OWN_PAGE), client.get(path, headers=OWN_PAGE)):
        assert answer.status_code in (302, 405)
        assert answer.status_code == 405 or answer["Location"].startswith("/again/?next=")
    assert client.post(path, stolen, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 401
    member.refresh_from_db()
    assert before == (member.password, list(Authenticator.objects.values_list("pk", "data")))


def test_the_second_factor_shown_again_leads_back_and_holds_for_five_minutes() -> None:
    client = Client()
    member = signed_in(client, Role.REVIEWER, fresh=False)
    form = {"headers": OWN_PAGE | {"Referer": "http://testserver/account/?x=1"}}
    assert client.post("/account/remove/", {}, **form)["Location"] == "/again/?next=%2Faccount%2F%3Fx%3D1"
    assert show(client, code_of(app_secret(member)), "/again/", next="/account/?x=1")["Location"] == "/account/?x=1"
    assert client.get("/account/password/", headers=OWN_PAGE).status_code == 200


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "evil", ""]
)
def test_the_way_back_leads_to_no_other_site(elsewhere: str) -> None:
    client = Client()
    member = signed_in(client, Role.REVIEWER, fresh=False)
    client.get("/again/", {"next": elsewhere}, headers=OWN_PAGE)
    assert show(client, code_of(app_secret(member)), "/again/", next=elsewhere)["Location"] == "/"


@pytest.mark.django_db(transaction=True)
def test_guessing_passwords_is_slowed_and_locks_nobody_out_from_elsewhere() -> None:
    member = make_member(Role.REVIEWER, "Ada")
    for _ in range(PER_NETWORK_AND_NAME.tries):
        wrong = Client(REMOTE_ADDR="192.0.2.1").post("/sign-in/", {"name": "Ada", "password": "x"}, headers=OWN_PAGE)
        assert wrong.status_code == 403
    right = {"name": "ADA", "password": PASSWORD}
    slowed = Client(REMOTE_ADDR="192.0.2.77").post("/sign-in/", right, headers=OWN_PAGE)
    assert slowed.status_code == 429
    assert int(slowed["Retry-After"]) > 0
    assert show(password_of(member, client=Client(REMOTE_ADDR="198.51.100.1")), "0").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_guessing_codes_is_slowed_from_wherever_it_comes() -> None:
    member = make_member(Role.REVIEWER)
    client = password_of(member)
    for number in range(FACTOR_SOON.tries):
        client.defaults["REMOTE_ADDR"] = f"198.51.{number}.1"
        assert show(client, "000000").status_code == 403
    slowed = show(client, code_of(app_secret(member)))
    assert slowed.status_code == 429
    assert int(slowed["Retry-After"]) > 0
    assert not is_in(client)
    assert FACTOR_DAY.tries * 3 / 10**6 < 1e-4, "a day's guesses at three codes of a million"


def test_names_of_members_cannot_be_found_out() -> None:
    make_member(Role.REVIEWER, "Ada")
    make_member(Role.REVIEWER, "gone")
    services.remove_member("gone")
    late = services.add_member("late", "reviewer")
    Member.objects.filter(name="late").update(one_time_until=timezone.now())
    tries = [("Ada", "x"), ("Eve", "x"), ("gone", PASSWORD), ("late", "x"), ("late", late)]
    answers = [Client().post("/sign-in/", {"name": n, "password": p}, headers=OWN_PAGE) for n, p in tries]
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    assert answers[0].status_code == 403


def test_a_session_ends_with_its_twelve_hours_its_role_its_password_and_its_account() -> None:
    def opened() -> tuple[Client, str]:
        client = Client()
        return client, signed_in(client, Role.REVIEWER, name=f"Ada {Member.objects.count()}").name

    old, _ = opened()
    session = old.session
    session[SIGNED_IN_AT] = time.time() - STAFF.seconds - 1
    session[FACTOR_AT] = time.time()
    session.save()
    assert not is_in(old)
    promoted, name = opened()
    services.change_role(name, "lead")
    assert not is_in(promoted)
    reset, name = opened()
    services.reset_member(name)
    assert not is_in(reset)
    removed, name = opened()
    services.remove_member(name)
    assert not is_in(removed)
    here, name = opened()
    there = Client()
    there.cookies = here.cookies.copy()  # type: ignore[assignment]
    own = {"password": "an oak, a kettle", "again": "an oak, a kettle"}
    assert here.post("/account/password/", own, headers=OWN_PAGE)["Location"] == "/account/"
    assert is_in(here)
    assert not is_in(there)


def test_the_one_time_password_opens_only_the_set_up_and_ends_with_it() -> None:
    one_time = services.add_member("Ada", "reviewer")
    member = Member.objects.get()
    client, thief = password_of(member, one_time), password_of(member, one_time)
    assert client.get("/sign-in/second-factor/", headers=OWN_PAGE)["Location"] == "/sign-in/set-up/"
    assert not is_in(client)
    client.get("/sign-in/set-up/", headers=OWN_PAGE)
    secret = client.session["mfa.totp.secret"]
    own = {"password": PASSWORD, "again": PASSWORD, "code": code_of(secret)}
    for wrong, word in (
        ({"code": "12"}, "your app shows"),
        ({"password": "x"}, "not the same"),
        ({"password": "password1234", "again": "password1234"}, "too common"),
        ({"password": one_time, "again": one_time}, "Choose another one"),
        ({"credential": '{"id": "' + "[" * 5000 + '"}'}, "security key"),
        ({"credential": "[" * 5000}, "security key"),
    ):
        answer = client.post("/sign-in/set-up/", own | wrong, headers=OWN_PAGE)
        assert (answer.status_code, word in answer.content.decode()) == (400, True), wrong
        assert Member.objects.get().one_time_until is not None
    assert client.post("/sign-in/set-up/", own, headers=OWN_PAGE)["Location"] == "/account/recovery-codes/"
    codes = client.get("/account/recovery-codes/", headers=OWN_PAGE).content.decode()
    assert codes.count("<li><code>") == 10
    assert "<li><code>" not in client.get("/account/recovery-codes/", headers=OWN_PAGE).content.decode()
    assert is_in(client)
    assert show(password_of(member), own["code"]).status_code == 403, "it was used for the set-up"
    assert thief.get("/sign-in/set-up/", headers=OWN_PAGE)["Location"] == "/sign-in/"
    assert Client().post("/sign-in/", {"name": "Ada", "password": one_time}, headers=OWN_PAGE).status_code == 403


def test_a_copy_of_the_database_holds_no_second_factor_and_no_password() -> None:
    member = make_member(Role.REVIEWER)
    secret, codes = app_secret(member), services.show_recovery_codes(member)
    kept = str([*Authenticator.objects.values_list("data", flat=True), *Member.objects.values()])
    assert secret not in kept
    assert not any(code in kept for code in codes)
    assert member.password.startswith("argon2$argon2id$")


def test_the_last_second_factor_cannot_be_removed() -> None:
    client = Client()
    member = signed_in(client, Role.REVIEWER)
    number = Authenticator.objects.get(user=member, type="totp").pk
    client.post("/account/remove/", {"factor": str(number)}, headers=OWN_PAGE)
    assert "only second factor" in client.get("/account/", headers=OWN_PAGE).content.decode()
    assert Authenticator.objects.filter(pk=number).exists()


def test_nothing_of_the_librarys_own_pages_is_open() -> None:
    client = Client()
    signed_in(client, Role.ADMIN)
    for site in ("reclaim.platform.urls", "reclaim.bank.urls"):
        with override_settings(ROOT_URLCONF=site):
            for path in (
                "login",
                "signup",
                "logout",
                "password/reset",
                "email",
                "2fa",
                "2fa/totp/activate",
                "accounts",
            ):
                assert client.get(f"/{path}/", headers=OWN_PAGE).status_code == 404, path
                assert client.get(f"/accounts/{path}/", headers=OWN_PAGE).status_code == 404, path


@pytest.mark.parametrize(("role", "status"), [(Role.WATCHER, 403), (Role.REVIEWER, 200)])
def test_a_role_opens_what_the_table_gives_it_and_nothing_else(role: Role, status: int) -> None:
    client = Client()
    signed_in(client, role)
    assert client.get("/", headers=OWN_PAGE).status_code == status


@pytest.mark.django_db(transaction=True)
def test_of_many_who_send_one_code_at_the_same_moment_one_gets_in() -> None:
    member = make_member(Role.REVIEWER)

    def try_it(code: str) -> bool:
        try:
            return services.accept_code(member, code)
        finally:
            connection.close()

    for code in (code_of(app_secret(member)), services.show_recovery_codes(member)[0]):
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(try_it, [code] * 4)) == 1


def test_under_another_sites_secret_no_code_opens_anything(settings: Settings) -> None:
    member = make_member(Role.REVIEWER)
    code = code_of(app_secret(member))
    settings.MASTER_SECRET = bytes(32)
    assert show(password_of(member), code).status_code == 403
