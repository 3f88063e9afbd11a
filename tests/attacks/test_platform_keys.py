"""Attacks on platforms' keys, as sentences."""

from __future__ import annotations

import datetime

import pytest
from django.test import Client
from django.utils import timezone

from reclaim.bank.platforms import queries
from reclaim.bank.platforms.key_text import PATTERN, is_key, new_key
from reclaim.bank.platforms.models import Platform, PlatformKey
from reclaim.bank.platforms.services import add_key, add_platform, change_key, revoke_key, rotate_key
from reclaim.sitekit.limits import Limit

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform() -> Platform:
    return add_platform("Example")[0]


def status(key: str, address: str = "192.0.2.7", path: str = "/v2/signals") -> int:
    return Client(REMOTE_ADDR=address).get(path, headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_opens_what_its_scopes_say_and_nothing_else(platform: Platform) -> None:
    _, fetch = add_key(platform, ["fetch"], actor="operator")
    _, other = add_key(platform, ["submit", "feedback"], actor="operator")
    assert status(fetch) == 200
    assert status(other) == 403


def test_a_key_from_another_network_is_refused(platform: Platform) -> None:
    row, key = add_key(platform, ["fetch"], actor="operator", addresses=["192.0.2.0/24", "2001:db8::/32"])
    assert [status(key), status(key, "2001:db8::1"), status(key, "::ffff:192.0.2.9")] == [200, 200, 200]
    assert [status(key, "198.51.100.1"), status(key, "")] == [403, 403]
    change_key(row, actor="operator", scopes=["fetch"], addresses=[])
    assert status(key, "198.51.100.1") == 200


def test_a_revoked_key_is_refused_at_its_next_request(platform: Platform) -> None:
    row, key = add_key(platform, ["fetch"], actor="operator")
    assert status(key) == 200
    assert revoke_key(row, actor="operator")
    assert status(key) == 401
    assert not revoke_key(row, actor="operator")


def test_an_old_key_goes_on_beside_the_new_one_until_its_time_ends(platform: Platform) -> None:
    row, old = add_key(platform, ["fetch"], actor="operator")
    _, new = rotate_key(row, actor="operator", overlap=datetime.timedelta(days=7))
    assert [status(old), status(new)] == [200, 200]
    PlatformKey.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    assert [status(old), status(new)] == [401, 200]
    with pytest.raises(ValueError, match="opens nothing"):
        rotate_key(row, actor="operator", overlap=datetime.timedelta(days=7))


def test_rotating_makes_no_short_lived_key_last_a_year(platform: Platform) -> None:
    row, _ = add_key(platform, ["fetch"], actor="operator", life=datetime.timedelta(days=30))
    new, _ = rotate_key(row, actor="operator", overlap=datetime.timedelta(days=7))
    assert abs(new.expires_at - row.expires_at) < datetime.timedelta(minutes=1)


def test_one_platform_does_not_write_without_end(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "WRITES", Limit("writes, platform", tries=2, window=60))
    _, key = add_key(platform, ["fetch", "feedback"], actor="operator")
    headers = {"Authorization": f"Bearer {key}"}
    answers = [
        Client().post("/v2/feedback", {"feedback": []}, content_type="application/json", headers=headers)
        for _ in range(3)
    ]
    assert answers[1].status_code != 429
    assert answers[2].status_code == 429
    assert int(answers[2]["Retry-After"]) > 0
    assert status(key) == 200


def test_a_key_that_is_not_what_it_should_be_is_not_made(platform: Platform) -> None:
    day = datetime.timedelta(days=1)
    for scopes, addresses, life in (
        ([], [], day),
        (["everything"], [], day),
        (["fetch"], ["nowhere"], day),
        (["fetch"], [], datetime.timedelta(days=4000)),
        (["fetch"], [], datetime.timedelta(0)),
    ):
        with pytest.raises(ValueError, match=r"key|address"):
            add_key(platform, scopes, actor="operator", addresses=addresses, life=life)


def test_keys_are_recognised_and_one_wrong_character_is_seen() -> None:
    key = new_key("fetch")
    assert PATTERN.fullmatch(key)
    assert is_key(key)
    assert not is_key(key[:20] + ("a" if key[20] != "a" else "b") + key[21:])
    assert not is_key("reclaim_fetch_" + "a" * 49)


def test_the_bank_keeps_no_key(platform: Platform) -> None:
    row, key = add_key(platform, ["fetch"], actor="operator", label="nightly job")
    kept = repr(list(PlatformKey.objects.values_list()))
    assert key not in kept
    assert row.last_used_on is None
    status(key)
    row.refresh_from_db()
    assert row.last_used_on == timezone.now().date()
