"""Attacks on what practitioners write and on its keys, as sentences."""

from __future__ import annotations

import inspect
import sqlite3
import uuid
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from reclaim.bank.vault import keys, people, services
from reclaim.bank.vault.keys import CaseKey, DamagedError, Reader, Unlocked
from reclaim.bank.vault.models import KeyPair, WrappedKey
from reclaim.bank.vault.services import NoKeyError
from reclaim.bank.vault.sessions import COOKIE
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.queries import CARRIED
from reclaim.sitekit.accounts.services import reset_member
from reclaim.sitekit.permissions import Role
from reclaim.sitekit.recurring import LeftForNowError
from tests.members import OWN_PAGE, PASSWORD, app_secret, code_of, practitioner, unlock
from tests.personas import ActingOrganisation

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

WORDS = "He has her address, and says he will come on Friday."
OTHER_PASSWORD = "a lamp and nine pears"


def a_reader(name: str) -> Unlocked:
    return services.make_pair(name, PASSWORD)


@pytest.fixture
def ada() -> Unlocked:
    return a_reader("practitioner:1")


@pytest.fixture
def key(ada: Unlocked) -> CaseKey:
    return services.new_key(uuid.uuid4(), [ada.reader])


def test_what_is_sealed_opens_for_its_readers_and_nobody_else(ada: Unlocked, key: CaseKey) -> None:
    sealed, eve = key.seal("note:1", WORDS), a_reader("practitioner:2")
    assert services.case_key(ada, key.case_file).open("note:1", sealed) == WORDS
    with pytest.raises(NoKeyError):
        services.case_key(eve, key.case_file)
    services.share(key, eve.reader)
    assert services.case_key(eve, key.case_file) == key
    services.unshare(key.case_file, eve.reader)
    with pytest.raises(NoKeyError):
        services.case_key(eve, key.case_file)


def test_an_envelope_in_which_a_bit_was_changed_does_not_open(key: CaseKey) -> None:
    sealed = key.seal("note:1", WORDS)
    for place in (0, 1, 30, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(DamagedError):
            key.open("note:1", bytes(changed))
    for cut in (b"", sealed[:1], sealed[:40], sealed[:-1]):
        with pytest.raises(DamagedError):
            key.open("note:1", cut)


def test_an_envelope_that_is_put_in_another_place_does_not_open(ada: Unlocked, key: CaseKey) -> None:
    sealed = key.seal("note:1", WORDS)
    with pytest.raises(DamagedError):
        key.open("note:2", sealed)
    with pytest.raises(DamagedError):
        CaseKey(uuid.uuid4(), key.key).open("note:1", sealed)
    with pytest.raises(DamagedError):
        services.new_key(uuid.uuid4(), [ada.reader]).open("note:1", sealed)


def test_wrapped_keys_that_are_swapped_between_case_files_or_readers_do_not_open(ada: Unlocked, key: CaseKey) -> None:
    other, eve = services.new_key(uuid.uuid4(), [ada.reader]), a_reader("practitioner:2")
    mine = WrappedKey.objects.get(case_file=key.case_file)
    WrappedKey.objects.filter(case_file=other.case_file).update(wrapped=mine.wrapped, mac=mine.mac)
    with pytest.raises(DamagedError):
        services.case_key(ada, other.case_file)
    with pytest.raises(DamagedError):
        keys.unwrap(other.case_file, bytes(mine.wrapped), ada)
    WrappedKey.objects.filter(pk=mine.pk).update(reader=eve.name)
    with pytest.raises(DamagedError):
        services.case_key(eve, key.case_file)


def test_whoever_writes_to_the_databases_can_choose_no_key_and_become_no_reader(ada: Unlocked, key: CaseKey) -> None:
    chosen = CaseKey(key.case_file, b"k" * 32)
    WrappedKey.objects.update(wrapped=keys.wrap(chosen, ada.reader))
    with pytest.raises(DamagedError):
        services.case_key(ada, key.case_file)
    colleague = ActingOrganisation.let_in().practitioner
    assert people.reader_of(colleague).name == f"practitioner:{colleague.pk}"
    KeyPair.objects.update(public_key=keys.new_unlocked("practitioner:9").reader.public_key)
    with pytest.raises(DamagedError):
        people.reader_of(colleague)


def test_a_length_tells_little(key: CaseKey) -> None:
    lengths = {len(key.seal("note:1", "x" * length)) for length in (0, 1, 40, 63)}
    assert len(lengths) == 1
    assert len({len(key.seal("note:1", "x" * length)) for length in range(2048, 4096, 100)}) == 1
    for length in (0, 63, 64, 65_535, 65_536, 200_000):
        sealed = key.seal("note:1", "x" * length)
        assert keys.is_envelope(sealed)
        assert key.open("note:1", sealed) == "x" * length
    with pytest.raises(ValueError, match="at most 1024 KiB"):
        key.seal("note:1", "x" * (keys.LONGEST_TEXT + 1))


def dumped(alias: str) -> bytes:
    database = connections[alias]
    tables = database.introspection.table_names()
    rows = []
    with database.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")
            rows += cursor.fetchall()
    return b"\n".join(
        bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode() for row in rows for cell in row
    )


def test_a_copy_of_the_sites_database_alone_has_no_key(ada: Unlocked, key: CaseKey) -> None:
    assert "vault_wrappedkey" not in connection.introspection.table_names()
    assert set(connections["keys"].introspection.table_names()) == {"django_migrations", "vault_wrappedkey"}
    assert key.key not in dumped("default")
    assert ada.private_key not in dumped("default")


def test_a_copy_of_both_databases_opens_nothing_without_a_password(ada: Unlocked, key: CaseKey) -> None:
    everything = dumped("default") + dumped("keys")
    assert key.key not in everything
    assert ada.private_key not in everything
    assert PASSWORD.encode() not in everything
    locked = bytes(KeyPair.objects.get(reader=ada.name).locked)
    with pytest.raises(DamagedError):
        services.unlock(ada.name, OTHER_PASSWORD)
    # And with the password, the site's own secret is needed too, which no database holds.
    with pytest.raises(DamagedError):
        keys.unlock(ada.name, locked, PASSWORD, lambda stretched: stretched)
    with pytest.raises(DamagedError):
        keys.unlock("practitioner:2", locked, PASSWORD, services._stretch)


def test_a_private_key_is_locked_at_a_cost_and_a_planted_cost_is_refused(ada: Unlocked) -> None:
    source = inspect.getsource(keys)
    assert "PASSES = 3\n" in source
    assert "MEMORY = 64 * 1024 * 1024\n" in source
    locked = bytearray(KeyPair.objects.get(reader=ada.name).locked)
    locked[2] = 255
    with pytest.raises(DamagedError):
        keys.unlock(ada.name, bytes(locked), PASSWORD, services._stretch)


def test_when_a_case_file_is_erased_its_keys_are_gone_for_everybody(ada: Unlocked, key: CaseKey) -> None:
    services.make_recovery_key()
    person = people.from_seed(b"number and PIN, stretched", uuid.uuid4())
    services.share(key, person.reader)
    services.destroy(key.case_file)
    assert not WrappedKey.objects.filter(case_file=key.case_file).exists()
    for reader in (ada, person):
        with pytest.raises(NoKeyError):
            services.case_key(reader, key.case_file)


def test_keys_that_nothing_needs_are_swept_and_no_others(key: CaseKey, ada: Unlocked) -> None:
    services.new_key(uuid.uuid4(), [ada.reader])
    kept = [lambda some: {key.case_file}, lambda some: set()]
    assert services.sweep(kept) == 0
    assert services.sweep(kept, timezone.now() + 2 * services.SETTLED) == 1
    assert WrappedKey.objects.get().case_file == key.case_file


def test_whoever_names_another_sites_database_loses_no_key_to_the_sweep(key: CaseKey) -> None:
    one = WrappedKey.objects.get()
    new = [uuid.uuid4() for _ in range(services.FEW)]
    WrappedKey.objects.bulk_create(
        WrappedKey(case_file=each, reader=one.reader, wrapped=one.wrapped, mac=one.mac) for each in new
    )
    later = timezone.now() + 2 * services.SETTLED
    with pytest.raises(LeftForNowError):
        services.sweep([lambda some: set()], later)
    assert WrappedKey.objects.count() == services.FEW + 1
    # A few are what an interruption or a restored database leaves.
    assert services.sweep([lambda some: {key.case_file}], later) == services.FEW


def test_a_case_file_has_one_key_for_good(ada: Unlocked, key: CaseKey) -> None:
    with pytest.raises(ValueError, match="already"):
        services.new_key(key.case_file, [ada.reader])


def test_the_key_on_paper_opens_what_was_made_since_and_another_paper_nothing(ada: Unlocked) -> None:
    paper = services.make_recovery_key()
    made = services.new_key(uuid.uuid4(), [ada.reader])
    assert services.case_key(services.recovery_from(f" {paper.lower()}\n"), made.case_file) == made
    with pytest.raises(services.RecoveryKeyThereError):
        services.make_recovery_key()
    # After another has taken its place, the first paper is the only one for what was made before.
    after = services.recovery_from(services.make_recovery_key(replace=True))
    assert services.case_key(services.recovery_from(paper), made.case_file) == made
    with pytest.raises(DamagedError):
        services.case_key(after, made.case_file)
    mistyped = paper.replace(paper[0], "Q" if paper[0] != "Q" else "R")
    for typed in (keys.spelled(b"x" * 32), paper[:-1], mistyped, "", "é" * 60):
        with pytest.raises(ValueError, match=r"recovery key"):
            services.recovery_from(typed)
    assert paper.replace(" ", "").encode() not in dumped("default") + dumped("keys")


def cookie_of(client: Client) -> str:
    return str(client.cookies[COOKIE].value)


def sign_in(client: Client, member: Member, password: str = PASSWORD) -> None:
    client.post("/staff/sign-in/", {"name": member.name, "password": password})
    answer = client.post("/staff/sign-in/second-factor/", {"code": code_of(app_secret(member))})
    assert answer.status_code == 302


def opens(client: Client, name: str) -> bool:
    """Whether the browser has all that is needed to open the reader's key."""
    sealed, cookie = client.session.get(CARRIED), client.cookies.get(COOKIE)
    if not sealed or cookie is None or not cookie.value:
        return False
    unlocked = services.unlock(name, PASSWORD)
    request = type("Request", (), {"session": client.session, "COOKIES": {COOKIE: cookie.value}})()
    from reclaim.bank.vault.sessions import LockedError, unlocked_as

    try:
        return unlocked_as(request, name) == unlocked  # type: ignore[arg-type]
    except LockedError:
        return False


@pytest.fixture
def helper() -> ActingOrganisation:
    made = ActingOrganisation.let_in()
    made.client.defaults |= {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ACCEPT": "text/html"}
    return made


def test_signing_in_opens_the_key_and_the_cookie_for_it_stays_with_the_browser(helper: ActingOrganisation) -> None:
    client, name = Client(headers=OWN_PAGE), people.name_of(helper.practitioner)
    sign_in(client, helper.practitioner.member)
    cookie = client.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"], cookie["domain"]) == (True, "Strict", "", "")
    assert opens(client, name)
    client.post("/staff/sign-out/")
    assert not client.cookies[COOKIE].value or client.cookies[COOKIE]["max-age"] == 0
    assert not client.session.get(CARRIED)


def test_a_password_without_a_second_factor_leaves_no_open_key(helper: ActingOrganisation) -> None:
    client = Client(headers=OWN_PAGE)
    client.post("/staff/sign-in/", {"name": helper.practitioner.name, "password": PASSWORD})
    assert client.get("/helpline/unlock/")["Location"] == "/staff/sign-in/"


def test_a_stolen_session_row_opens_nothing_without_the_cookie(helper: ActingOrganisation) -> None:
    name = people.name_of(helper.practitioner)
    stored = signing.loads(
        Session.objects.get(pk=helper.client.session.session_key).session_data,
        salt="django.contrib.sessions.SessionStore",
        serializer=signing.JSONSerializer,
    )
    assert stored[CARRIED]
    private = services.unlock(name, PASSWORD)
    assert private is not None
    assert private.private_key.hex() not in str(stored)
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = helper.client.cookies[settings.SESSION_COOKIE_NAME].value
    assert not opens(thief, name)
    thief.cookies[COOKIE] = "A" * 43 + "="
    assert not opens(thief, name)
    thief.cookies[COOKIE] = cookie_of(helper.client)
    assert not opens(thief, "practitioner:999")


def test_a_browser_that_lost_the_key_is_asked_for_the_password_and_a_wrong_one_opens_nothing(
    helper: ActingOrganisation,
) -> None:
    helper.client.cookies.pop(COOKIE)
    answer = helper.client.post("/helpline/unlock/", {"password": OTHER_PASSWORD, "next": "//evil.example/"})
    assert answer.status_code == 403
    assert not opens(helper.client, people.name_of(helper.practitioner))
    answer = helper.client.post("/helpline/unlock/", {"password": PASSWORD, "next": "//evil.example/"})
    assert answer["Location"] == "/staff/"
    assert opens(helper.client, people.name_of(helper.practitioner))
    statuses = [helper.client.post("/helpline/unlock/", {"password": "guess"}).status_code for _ in range(5)]
    assert statuses[-1] == 429


def set_up(client: Client, name: str, one_time: str, password: str) -> None:
    client.post("/staff/sign-in/", {"name": name, "password": one_time})
    page = client.get("/staff/sign-in/set-up/").content.decode()
    secret = page.partition('<code class="key">')[2].partition("</code>")[0].replace(" ", "")
    sent = {"password": password, "again": password, "code": code_of(secret)}
    assert client.post("/staff/sign-in/set-up/", sent)["Location"] == "/staff/account/recovery-codes/"


def test_an_operator_who_resets_a_password_reads_no_note_with_it(helper: ActingOrganisation) -> None:
    name = people.name_of(helper.practitioner)
    made = services.new_key(uuid.uuid4(), [people.reader_of(helper.practitioner)])
    one_time = reset_member(helper.practitioner.name)
    operator = Client(headers=OWN_PAGE)
    set_up(operator, helper.practitioner.name, one_time, OTHER_PASSWORD)
    new = services.unlock(name, OTHER_PASSWORD)
    assert new is not None
    with pytest.raises(NoKeyError):
        services.case_key(new, made.case_file)
    assert not WrappedKey.objects.filter(reader=name).exists()


def test_another_password_keeps_what_the_practitioner_can_open(helper: ActingOrganisation) -> None:
    name = people.name_of(helper.practitioner)
    made = services.new_key(uuid.uuid4(), [people.reader_of(helper.practitioner)])
    sent = {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    assert helper.client.post("/staff/account/password/", sent)["Location"] == "/staff/account/"
    with pytest.raises(DamagedError):
        services.unlock(name, PASSWORD)
    own = services.unlock(name, OTHER_PASSWORD)
    assert own is not None
    assert services.case_key(own, made.case_file) == made


def test_a_browser_without_the_key_cannot_choose_another_password_and_lose_it(helper: ActingOrganisation) -> None:
    helper.client.cookies.pop(COOKIE)
    sent = {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    answer = helper.client.post("/staff/account/password/", sent)
    assert answer["Location"].startswith("/helpline/unlock/?next=")
    assert Member.objects.get(pk=helper.practitioner.member_id).check_password(PASSWORD)


def test_a_colleague_shares_what_they_can_open_and_nothing_else(helper: ActingOrganisation) -> None:
    new = practitioner(Client(), helper.organisation, Role.PRACTITIONER)
    own = services.unlock(people.name_of(helper.practitioner), PASSWORD)
    assert own is not None
    mine, theirs = services.new_key(uuid.uuid4(), [own.reader]), services.new_key(uuid.uuid4(), [])
    both = [mine.case_file, theirs.case_file]
    assert services.share_many(own, both, people.reader_of(new), helper.practitioner.actor) == 1
    assert services.share_many(own, both, people.reader_of(new), helper.practitioner.actor) == 0
    assert services.readable(people.name_of(new), both) == {mine.case_file}
    services.hand_over(mine, [people.reader_of(new)])
    assert services.readable(own.name, both) == set()
    unlock(Client(), new)


def test_a_reader_is_never_shown_with_a_private_key(ada: Unlocked, key: CaseKey) -> None:
    assert ada.private_key.hex() not in repr(ada)
    assert repr(ada.private_key) not in repr(ada)
    assert repr(key.key) not in repr(key)
    assert isinstance(ada.reader, Reader)


def test_the_file_of_keys_keeps_nothing_of_what_was_destroyed(tmp_path: Path) -> None:
    options = settings.DATABASES["keys"]["OPTIONS"]
    if connections["keys"].vendor == "sqlite":
        assert "secure_delete=ON" in options["init_command"]
        assert sqlite3.sqlite_version_info >= (3, 20)
